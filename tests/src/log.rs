//! The log lines of the library.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

/// A subscriber that stays. While a process has only one, `tracing` asks the thread that first comes to a callsite
/// whether anybody listens there, and remembers its "no" for threads that do listen.
static STAYING: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

/// The lines that the library logs on this thread. A plain `#[tokio::test]` runs on one thread.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Listens until the guard is dropped.
    #[must_use]
    pub fn listen(level: tracing::Level) -> (Self, DefaultGuard) {
        LazyLock::force(&STAYING);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_max_level(level)
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The lines since the last call, without those about functions that share their entries. Those lines are about the
    /// whole program, and so about the functions of other tests.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        let mut lines = self.take_all();
        lines.retain(|line| !line.contains("share their entries"));
        lines
    }

    /// The lines since the last look, of all functions of the program.
    #[must_use]
    pub fn take_all(&self) -> Vec<String> {
        let text = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let text = String::from_utf8_lossy(&text);
        text.lines().filter(|line| line.contains("cached_core")).map(ToOwned::to_owned).collect()
    }
}
