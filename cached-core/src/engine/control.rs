//! How the calls that this thread makes right now are controlled by whoever makes them: asked for their entry, or made
//! past the cache; and whether their outcome is recorded.
//!
//! A control holds while one future is polled once, see [`enter`]. So it is for the calls that this future makes
//! itself, also through functions without an attribute and through writes. It ends where the body of a cached function
//! begins, see [`begin_body`]: what that calls becomes part of a value that others are served. Tasks that are spawned
//! meanwhile are polled elsewhere, without it.
//!
//! Other calls pay for this only by reading one thread-local byte, once.

use std::cell::Cell;

thread_local! {
    /// Without a destructor, so that reading it costs an instruction or two.
    static CONTROL: Cell<u8> = const { Cell::new(Mode::Plain as u8) };
}

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// As its attribute says.
    Plain,
    /// Only asked for its entry: [`asking`](super::asking).
    Asking,
    /// Past the cache: [`bypass`](crate::bypass).
    Bypass,
    /// Loading and storing though there is a value: [`refresh`](crate::refresh).
    Refresh,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Plain, Self::Asking, Self::Bypass, Self::Refresh];
}

/// The bit beside the mode that says that outcomes are recorded: [`record`](super::record).
const RECORDED: u8 = 0x80;

/// Whether calls on this thread are controlled at all.
#[inline]
pub(crate) fn is_on() -> bool {
    CONTROL.get() != Mode::Plain as u8
}

/// How calls on this thread are made.
#[inline]
pub(crate) fn mode() -> Mode {
    let now = CONTROL.get() & !RECORDED;
    Mode::ALL.into_iter().find(|mode| *mode as u8 == now).unwrap_or(Mode::Plain)
}

/// Whether the outcomes of calls on this thread are recorded.
#[inline]
pub(crate) fn is_recorded() -> bool {
    CONTROL.get() & RECORDED != 0
}

/// The time of one poll under a control. At its end the outer control holds again, also when the poll panics.
#[derive(Debug)]
#[must_use]
pub(crate) struct ControlScope {
    outer: u8,
}

impl Drop for ControlScope {
    fn drop(&mut self) {
        CONTROL.set(self.outer);
    }
}

/// Makes calls in this mode from now on. Of two modes, the inner one holds; but a call that is asked for its entry has
/// to answer, however it would be made.
pub(crate) fn enter(mode: Mode) -> ControlScope {
    let outer = CONTROL.get();
    if outer & !RECORDED != Mode::Asking as u8 {
        CONTROL.set(outer & RECORDED | mode as u8);
    }
    ControlScope { outer }
}

/// Records the outcomes of calls from now on, in whatever mode they are made.
pub(crate) fn record() -> ControlScope {
    let outer = CONTROL.get();
    CONTROL.set(outer | RECORDED);
    ControlScope { outer }
}

/// The body of a cached function begins or goes on: the calls that it makes are as always, and not recorded.
pub(crate) fn begin_body() -> ControlScope {
    ControlScope { outer: CONTROL.replace(Mode::Plain as u8) }
}
