//! Checks a builder's settings.
//!
//! The TTL classes that functions name are checked at start-up, in `site/startup`.

use super::CacheBuilder;
use super::source::Source;
use crate::codec::Codec;
use crate::error::BuildError;
use crate::ttl::MAX_TTL;
use std::time::Duration;

impl CacheBuilder {
    pub(crate) fn check_names(&self) -> Result<(), BuildError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match self.namespace.as_deref() {
            Some("") => {
                return Err(BuildError::field("namespace", "it is empty; write the service's name, such as \"shop\""));
            }
            Some(name) if name.len() > 64 || !name.chars().all(allowed) => {
                let problem = format!("{name:?} is not 1 to 64 characters of `A-Z a-z 0-9 - _ .`");
                return Err(BuildError::field("namespace", problem));
            }
            None if self.is_shared() => {
                let problem = "it is not set; write `.namespace(\"shop\")` with your service's name, which keeps its keys apart \
                               from other services' keys on the same server";
                return Err(BuildError::field("namespace", problem));
            }
            Some(_) | None => {}
        }
        if let Some(feature) = self.settings.codec.missing_feature() {
            return Err(BuildError::field(
                "codec",
                format!("{} needs cached-core's feature `{feature}`", self.settings.codec),
            ));
        }
        if self.settings.codec == Codec::Bytes {
            let problem = "bytes stores nothing but bytes; write `codec = \"bytes\"` on the functions that return them, \
                           and another codec here";
            return Err(BuildError::field("codec", problem));
        }
        if self.settings.compress_above < usize::MAX && !cfg!(feature = "lz4") {
            return Err(BuildError::field("compress_above", "compression needs cached-core's feature `lz4`"));
        }
        Ok(())
    }

    pub(crate) fn check_times(&self) -> Result<(), BuildError> {
        let ms = Duration::from_millis;
        let within = |field, value: Duration, from: Duration, to: Duration| {
            if (from..=to).contains(&value) {
                return Ok(());
            }
            Err(BuildError::field(field, format!("{value:?} is not between {from:?} and {to:?}")))
        };
        within("budget", self.settings.budget, ms(1), ms(60_000))?;
        within("lease_ttl", self.settings.lease_ttl, ms(100), ms(600_000))?;
        within("write_marker_ttl", self.settings.write_marker_ttl, ms(1_000), ms(600_000))?;
        within("max_wait", self.settings.max_wait, ms(1), ms(600_000))?;
        within("refresh_cooldown", self.settings.refresh_cooldown, ms(1), ms(3_600_000))?;
        within("near_heartbeat", self.settings.near.heartbeat, ms(10), ms(60_000))?;
        if let Some(time) = self.settings.near.time {
            within("near_ttl", time, ms(1), MAX_TTL)?;
        }
        for (name, ttl) in self.settings.classes.iter() {
            within("ttl_class", ttl, ms(1), MAX_TTL)
                .map_err(|error| BuildError::field("ttl_class", format!("\"{name}\": {}", problem_of(&error))))?;
        }
        if !(0.0..1.0).contains(&self.settings.jitter) {
            return Err(BuildError::field("jitter", format!("{} is not at least 0 and below 1", self.settings.jitter)));
        }
        Ok(())
    }

    pub(crate) fn check_sizes(&self) -> Result<(), BuildError> {
        // The size limit of Redis for a string.
        let most = 512 << 20;
        if !(1..=most).contains(&self.settings.max_value_bytes) {
            let problem = format!("{} is not between 1 and {most}", self.settings.max_value_bytes);
            return Err(BuildError::field("max_value_bytes", problem));
        }
        if self.settings.near.capacity < 4096 {
            let problem = format!("{} bytes are too few; write at least 4096", self.settings.near.capacity);
            return Err(BuildError::field("near_capacity", problem));
        }
        if let Some(bytes) = self.memory_capacity.filter(|bytes| *bytes < 4096) {
            let problem = format!("{bytes} bytes are too few; write at least 4096");
            return Err(BuildError::field("memory_capacity", problem));
        }
        let most = tokio::sync::Semaphore::MAX_PERMITS;
        if !(1..=most).contains(&self.settings.load_limit) {
            return Err(BuildError::field(
                "load_limit",
                format!("{} is not between 1 and {most}", self.settings.load_limit),
            ));
        }
        Ok(())
    }
}

fn problem_of(error: &BuildError) -> &str {
    match error {
        BuildError::Field { problem, .. } => problem,
        BuildError::Sites(_) => "",
    }
}

impl CacheBuilder {
    pub(crate) fn with_source(mut self, method: &'static str, source: Source) -> Self {
        if !self.sources.contains(&method) {
            self.sources.push(method);
        }
        Self { source, ..self }
    }

    /// Whether other services may have their values in the same place.
    pub(crate) fn is_shared(&self) -> bool {
        // `from_env` counts even if the variable is not set here, so that a missing namespace is an error on every
        // machine.
        !matches!(self.source, Source::Memory) || self.sources.contains(&"from_env")
    }

    pub(crate) fn check_source(&self) -> Result<(), BuildError> {
        match self.sources[..] {
            [first, second, ..] => {
                let problem =
                    format!("`{first}` and `{second}` both say where values are stored: leave one of them out");
                Err(BuildError::field(second, problem))
            }
            [source @ ("redis" | "store")] if self.memory_capacity.is_some() => {
                let problem = format!(
                    "it bounds the memory store, and `{source}` says that values are stored elsewhere: leave one of them \
                     out"
                );
                Err(BuildError::field("memory_capacity", problem))
            }
            _ => Ok(()),
        }
    }
}
