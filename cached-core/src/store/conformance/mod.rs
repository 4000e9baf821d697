//! The contract of [`Store`], as cases that a store passes or not: for authors of stores. Feature `conformance`.
//!
//! [`store_conformance!`](crate::store_conformance) makes one test of each case. What it needs to know about a store is
//! a [`Subject`]: the store, and how its time passes.
//!
//! ```
//! use cached_core::Clock;
//! use cached_core::store::conformance::Subject;
//! use cached_core::store::{MemoryStore, Store};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! struct InMemory {
//!     store: Arc<dyn Store>,
//!     clock: Clock,
//! }
//!
//! impl InMemory {
//!     fn new() -> Self {
//!         let clock = Clock::manual();
//!         Self { store: Arc::new(MemoryStore::new(1 << 20, clock.clone())), clock }
//!     }
//! }
//!
//! impl Subject for InMemory {
//!     fn store(&self) -> &Arc<dyn Store> {
//!         &self.store
//!     }
//!
//!     async fn pass(&self, time: Duration) {
//!         self.clock.advance(time);
//!     }
//! }
//!
//! mod in_memory {
//!     cached_core::store_conformance!(super::InMemory::new());
//! }
//! # fn main() {}
//! ```
//!
//! Each case has a subject of its own, with nothing in its store and nobody else on it: some cases remove all that is
//! there. A case fails by a panic. Cases about an ability that the store does not
//! [claim](Store::capabilities) pass.

#![expect(clippy::unwrap_used, reason = "in a case, a panic is the report")]

#[doc(hidden)]
pub mod brackets;
#[doc(hidden)]
pub mod forced;
#[doc(hidden)]
pub mod registers;
#[doc(hidden)]
pub mod several;
#[doc(hidden)]
pub mod steps;
#[doc(hidden)]
pub mod sweeps;
#[doc(hidden)]
pub mod tokens;
#[doc(hidden)]
pub mod watched;

use super::Store;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

/// A sleep may end a moment before the store sees its time as passed.
const SLACK: Duration = Duration::from_millis(5);

/// A store under test, and what surrounds it.
///
/// ```
/// use cached_core::store::Store;
/// use cached_core::store::conformance::Subject;
/// use std::sync::Arc;
///
/// /// A store that lives by the system's clock, and that no other program writes to.
/// struct OnItsOwn(Arc<dyn Store>);
///
/// impl Subject for OnItsOwn {
///     fn store(&self) -> &Arc<dyn Store> {
///         &self.0
///     }
/// }
/// ```
pub trait Subject: Sync {
    /// The store.
    fn store(&self) -> &Arc<dyn Store>;

    /// Lets this much time pass, as the store counts it. By default this waits; a store whose clock can be moved is
    /// tested faster, and more strictly.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time + SLACK)
    }

    /// Takes this much time from what the register still has to live. By default the time [passes](Self::pass): with a
    /// store whose clock cannot be moved, two cases then take about three minutes each.
    fn age(&self, key: &str, by: Duration) -> impl Future<Output = ()> + Send {
        let _ = key;
        self.pass(by)
    }

    /// Whether a step over several keys takes all of them at once, as one server does. By default it does; a store that
    /// spreads its keys over several servers says `false`, and is then asked for no more than the contract does.
    fn takes_keys_at_once(&self) -> bool {
        true
    }

    /// Writes a register as another program would, without regard to markers. By default there is no other program, and
    /// nothing happens.
    fn plant(&self, key: &str, value: &[u8]) -> impl Future<Output = ()> + Send {
        let _ = (key, value);
        ready(())
    }
}

/// Makes one `#[tokio::test]` of each case of the [contract of `Store`](crate::store::conformance), in the module where
/// it stands. The expression makes the [`Subject`](crate::store::conformance::Subject); it is evaluated once for each
/// case, and may `.await`.
///
/// Needs the feature `conformance`, and `tokio` with `macros` and `rt-multi-thread` in the crate that uses it.
///
/// ```
/// # mod store {
/// #     use cached_core::store::{MemoryStore, Store};
/// #     use std::sync::Arc;
/// #     pub struct Subject(pub Arc<dyn Store>);
/// #     impl cached_core::store::conformance::Subject for Subject {
/// #         fn store(&self) -> &Arc<dyn Store> {
/// #             &self.0
/// #         }
/// #     }
/// #     pub async fn connect() -> Subject {
/// #         Subject(Arc::new(MemoryStore::new(1 << 20, cached_core::Clock::system())))
/// #     }
/// # }
/// # fn main() {}
/// mod conformance {
///     cached_core::store_conformance!(crate::store::connect().await);
/// }
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($subject:expr $(,)?) => {
        $crate::store_conformance! { @tests [::tokio::test] [$subject]
            registers::a_register_is_absent_leased_or_a_value
            registers::one_lease_at_a_time
            registers::a_value_is_released_by_its_own_head_only
            registers::a_lease_dies_with_its_holder_and_lives_while_it_is_renewed
            registers::whatever_removes_the_register_revokes_the_fill
            registers::a_fill_compares_with_the_stamp_it_saw
            registers::an_unusable_register_is_replaced_and_no_other
            registers::a_lease_is_replaced_by_whoever_names_it
            registers::values_expire
            registers::any_bytes_survive
            brackets::nothing_is_put_while_a_write_is_in_progress
            brackets::begin_removes_what_stands_there_and_keeps_leases_off
            brackets::what_removes_registers_leaves_markers
            brackets::each_writer_ends_its_own_write
            brackets::a_marker_ends_by_itself
            brackets::a_short_write_does_not_end_a_long_one
            brackets::a_long_write_that_ends_leaves_the_short_ones_deadline
            brackets::a_repeated_begin_extends
            brackets::a_marker_that_was_lost_is_begun_again
            brackets::a_marker_that_was_lost_beside_anothers_is_begun_again
            brackets::end_removes_whatever_came_meanwhile
            brackets::loads_in_flight_do_not_store
            brackets::an_unusable_register_gives_no_lease_either
            brackets::a_token_is_not_replaced
            tokens::a_writer_without_overlap_puts
            tokens::a_put_value_expires
            tokens::without_a_token_nothing_is_put
            tokens::two_overlapping_writers_put_nothing
            tokens::any_other_write_takes_the_token_away
            tokens::a_load_does_not_take_the_token
            tokens::a_repeated_end_is_harmless
            tokens::a_repeated_begin_extends_the_token
            tokens::a_repeated_begin_leaves_what_came_meanwhile
            tokens::a_token_that_was_taken_away_does_not_come_back
            tokens::a_token_ends_with_its_marker
            tokens::several_are_put_together_or_not_at_all
            several::several_are_read_in_their_order
            several::any_number_is_read_at_once
            several::several_are_removed_and_no_other
            several::tags_are_created_once
            several::tags_live_on_while_they_are_used
            several::no_tag_is_taken_while_one_of_them_is_written
            several::a_register_that_is_not_a_tag_is_replaced
            forced::a_value_is_served_on_under_a_fresh_head
            forced::a_value_that_is_taken_over_lives_as_long_as_before
            forced::a_lease_stands_where_no_value_does
            forced::a_load_under_way_stores_no_more
            forced::the_later_of_two_forced_refreshes_stores
            forced::whatever_else_stands_there_is_replaced
            forced::an_invalidation_ends_a_forced_refresh
            forced::a_forced_refresh_during_a_write_stores_nothing_and_ends_its_token
            forced::a_forced_refresh_after_a_marker_has_run_out_stores
            forced::a_value_that_was_taken_over_is_released_by_its_fresh_head
            forced::many_are_taken_over_at_once
            forced::a_takeover_is_announced
            sweeps::a_prefix_is_text
            sweeps::companions_are_swept_with_their_registers
            sweeps::leases_and_tags_are_swept_and_markers_stay
            sweeps::many_are_swept
            sweeps::expired_entries_are_not_counted
            watched::a_watched_read_returns_the_remaining_time
            watched::many_are_read
            watched::every_change_is_announced_before_it_is_confirmed
            watched::reads_are_not_announced
            watched::each_watcher_is_notified_and_without_one_there_is_no_contact
        }
        $crate::store_conformance! { @tests [::tokio::test(flavor = "multi_thread", worker_threads = 2)] [$subject]
            several::all_who_ask_at_once_get_the_same_stamp
        }
    };
    (@tests [$test:meta] [$subject:expr] $($group:ident::$case:ident)*) => {
        $(
            #[$test]
            async fn $case() {
                let subject = $crate::store::conformance::steps::On($subject);
                $crate::store::conformance::$group::$case(subject).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// A case that the macro forgets would be no test anywhere.
    #[test]
    fn the_macro_names_every_case() {
        let files = [
            ("brackets", include_str!("brackets.rs")),
            ("forced", include_str!("forced.rs")),
            ("registers", include_str!("registers.rs")),
            ("several", include_str!("several.rs")),
            ("sweeps", include_str!("sweeps.rs")),
            ("tokens", include_str!("tokens.rs")),
            ("watched", include_str!("watched.rs")),
        ];
        let named = include_str!("mod.rs");
        let mut cases = 0;
        for (group, file) in files {
            for (case, _) in file.split("pub async fn ").skip(1).filter_map(|rest| rest.split_once("(on: On<")) {
                assert!(named.contains(&format!(" {group}::{case}\n")), "{group}::{case} is not named");
                cases += 1;
            }
        }
        assert_eq!(cases, 66);
    }
}
