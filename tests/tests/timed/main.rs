//! Tests that measure time, or take away what others would need meanwhile: one at a time (`-- --test-threads=1`), and
//! nothing beside them.

mod dying_writers;
mod failover;
mod faults;
mod freshness;
mod large;
mod late;
mod near_faults;
mod outages;
mod processes;
mod races;
mod runtimes;
mod shutdown;
mod slow_answers;
mod soak;
mod waiting;
