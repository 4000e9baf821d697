//! What became of the cached calls that a future has made.
//!
//! As text it is the value of the header `Cache-Status` of RFC 9211.

use crate::reason::{MissReason, UnstoredReason};
use std::fmt::{self, Display, Write as _};
use std::time::Duration;

/// What became of the cached calls of one future: [`with_status`](crate::with_status).
///
/// Displays as the value of the HTTP header `Cache-Status` (RFC 9211). Calls that ended alike are one member of the
/// list, so that the text stays short; `detail` says how many they are. The text has neither the names of functions nor
/// keys. The alternate form `{:#}` is for logs: it has a member for each call, with its key, which may hold personal
/// data. Without a cached call, both are empty.
///
/// ```
/// use cached_core::{Cache, redis_cached};
///
/// #[redis_cached(key = "greeting:<lang>")]
/// async fn greeting(lang: &str) -> String {
///     format!("read from the database: {lang}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let cache = Cache::memory();
/// # cache.install();
/// let (_, status) = cached_core::with_status(greeting("en")).await;
/// assert_eq!(status.to_string(), "cached_core; fwd=uri-miss; stored; detail=absent");
/// # cache.flush().await;
/// let (_, status) = cached_core::with_status(greeting("en")).await;
/// assert_eq!(status.to_string(), "cached_core; hit");
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheStatus {
    pub(crate) calls: Vec<CallStatus>,
    pub(crate) further: u64,
}

impl CacheStatus {
    /// The calls, in the order in which they began to find out whether they hit. A call over many ids has one status
    /// for each distinct id.
    ///
    /// ```
    /// # fn log(status: &cached_core::CacheStatus) {
    /// for call in status.calls() {
    ///     println!("{}: {:?}", call.site, call.answer);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn calls(&self) -> &[CallStatus] {
        &self.calls
    }

    /// How many calls were answered beyond the first thousand, which are those that [`calls`](Self::calls) returns.
    ///
    /// ```
    /// # fn log(status: &cached_core::CacheStatus) {
    /// println!("{} calls", status.calls().len() as u64 + status.further());
    /// # }
    /// ```
    #[must_use]
    pub fn further(&self) -> u64 {
        self.further
    }

    /// Whether there was a cached call, and each was answered from the cache.
    ///
    /// ```
    /// # fn log(status: &cached_core::CacheStatus) {
    /// println!("{}", if status.is_hit() { "served from the cache" } else { "asked the database" });
    /// # }
    /// ```
    #[must_use]
    pub fn is_hit(&self) -> bool {
        !self.calls.is_empty() && self.further == 0 && self.calls.iter().all(CallStatus::is_hit)
    }
}

/// How a call was answered. The words are those of [`SiteStats`](crate::SiteStats).
///
/// ```
/// use cached_core::Answer;
///
/// fn has_asked_the_database(answer: Answer) -> bool {
///     answer == Answer::Loaded
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// By the near cache.
    NearHit,
    /// By a stored value.
    Hit,
    /// By another caller's load in this process.
    Coalesced,
    /// By its own load: the function's body has run.
    Loaded,
    /// Not at all: [`Entry::get`](crate::Entry::get) and the like have no body to run.
    Unserved,
}

/// What became of one cached call, as far as it was known when the future ended: [`CacheStatus::calls`].
///
/// ```
/// # fn log(call: &cached_core::CallStatus) {
/// if let Some(reason) = call.misses.first() {
///     println!("{} was no hit: {reason:?}", call.site);
/// }
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[non_exhaustive]
pub struct CallStatus {
    /// The function's name.
    pub site: &'static str,
    /// How the call was answered.
    pub answer: Answer,
    /// The value was past its end. With [`Answer::Loaded`], the load failed or took longer than `load_timeout`, and an
    /// old value was returned instead of its own.
    pub is_stale: bool,
    /// Why no usable value was found, in the order in which it was found out; mostly there is one reason at most. It
    /// has none if the value was found, if another caller's load was waited for from the beginning, or if there is no
    /// cache.
    pub misses: Vec<MissReason>,
    /// The load refreshed a value that was still there, or the call was made by [`refresh`](crate::refresh).
    pub is_refresh: bool,
    /// The loaded value was stored. Storing goes on after a call has its value, so this may still be `false` for a
    /// value that is stored a moment later.
    pub is_stored: bool,
    /// Why the loaded value was not stored, as far as that was known.
    pub unstored: Option<UnstoredReason>,
    /// For how long the served value is fresh, from when it was found; zero if it is past its end. For a near hit: how
    /// long the near cache still serves it. `None` where that is not known: an entry records its end only for functions
    /// with `stale_while_revalidate`, `stale_if_error` or `refresh_ahead`, and only functions with `local` ask the
    /// store for it.
    pub left: Option<Duration>,
    /// How long the served value was past its end when it was found.
    pub past_end: Option<Duration>,
    /// The value that the load refreshed was past its end.
    pub(crate) is_over: bool,
    pub(crate) key: Option<Box<str>>,
}

impl fmt::Debug for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallStatus")
            .field("site", &self.site)
            .field("answer", &self.answer)
            .field("is_stale", &self.is_stale)
            .field("misses", &self.misses)
            .field("is_refresh", &self.is_refresh)
            .field("is_stored", &self.is_stored)
            .field("unstored", &self.unstored)
            .field("left", &self.left)
            .field("past_end", &self.past_end)
            .finish_non_exhaustive()
    }
}

impl CallStatus {
    pub(crate) fn of(site: &'static str, key: Option<&str>) -> Self {
        Self {
            site,
            answer: Answer::Unserved,
            is_stale: false,
            misses: Vec::new(),
            is_refresh: false,
            is_over: false,
            is_stored: false,
            unstored: None,
            left: None,
            past_end: None,
            key: key.map(Box::from),
        }
    }

    /// The key as it stands in the store; `None` if it could not be rendered, or there is no cache. It may hold
    /// personal data, so neither `Debug` nor the plain text of [`CacheStatus`] has it.
    ///
    /// ```
    /// # fn log(call: &cached_core::CallStatus) {
    /// println!("{}", call.key().unwrap_or("no key"));
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether the call was answered from the near cache or by a stored value.
    ///
    /// ```
    /// # fn log(status: &cached_core::CacheStatus) {
    /// println!("{} hits", status.calls().iter().filter(|call| call.is_hit()).count());
    /// # }
    /// ```
    #[must_use]
    pub fn is_hit(&self) -> bool {
        matches!(self.answer, Answer::NearHit | Answer::Hit)
    }

    /// Why the call was forwarded to the function, in the words of RFC 9211.
    fn forwarded(&self) -> &'static str {
        if self.is_refresh {
            return if self.is_over { "stale" } else { "request" };
        }
        match self.misses.first() {
            Some(MissReason::Absent | MissReason::Leased) => "uri-miss",
            Some(MissReason::Stale) => "stale",
            Some(MissReason::Bypassed | MissReason::Key | MissReason::NoRuntime) => "bypass",
            // Without a cache.
            None if self.answer == Answer::Loaded => "bypass",
            _ => "miss",
        }
    }

    fn details(&self) -> Vec<String> {
        let mut details = Vec::new();
        match self.answer {
            Answer::NearHit => details.push("near".to_owned()),
            Answer::Loaded if self.is_refresh => details.push("refresh".to_owned()),
            Answer::Loaded if self.misses.is_empty() => details.push("no_cache".to_owned()),
            Answer::Hit | Answer::Coalesced | Answer::Loaded | Answer::Unserved => {}
        }
        details.extend(self.misses.iter().map(snake));
        if self.is_stale {
            details.push("stale".to_owned());
        }
        details.extend(self.unstored.iter().map(|reason| format!("not_stored_{}", snake(reason))));
        details
    }

    /// The member of the list for this call, without what differs between calls that ended alike.
    fn member(&self) -> Member {
        let mut text = String::from("cached_core");
        match self.answer {
            Answer::NearHit | Answer::Hit => text.push_str("; hit"),
            Answer::Coalesced => {
                let _ = write!(text, "; fwd={}; collapsed", self.forwarded());
            }
            Answer::Loaded => {
                let stored = if self.is_stored { "; stored" } else { "" };
                let _ = write!(text, "; fwd={}{stored}", self.forwarded());
            }
            // Neither a hit nor forwarded: RFC 9211 has no word for it.
            Answer::Unserved => {}
        }
        let ttl = match (self.past_end, self.left) {
            (Some(past), _) => Some(seconds(past).saturating_neg()),
            (None, left) => left.map(seconds),
        };
        Member { text, ttl, details: self.details(), calls: 1 }
    }
}

/// A member of the list.
struct Member {
    text: String,
    ttl: Option<i64>,
    details: Vec<String>,
    calls: u64,
}

impl Member {
    fn is_like(&self, other: &Self) -> bool {
        self.text == other.text && self.details == other.details
    }

    fn write(&self, key: Option<&str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(ttl) = self.ttl {
            write!(f, "; ttl={ttl}")?;
        }
        if let Some(key) = key {
            write!(f, "; key=\"{}\"", Quoted(key))?;
        }
        let mut details = self.details.clone();
        if self.calls > 1 {
            details.push(format!("{} calls", self.calls));
        }
        match &*details {
            [] => Ok(()),
            // Our words are tokens.
            [one] if self.calls == 1 => write!(f, "; detail={one}"),
            more => write!(f, "; detail=\"{}\"", more.join(", ")),
        }
    }
}

/// The text inside of a string of RFC 8941, which is ASCII. Other bytes are percent-encoded.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte)),
            b' '..=b'~' => f.write_char(char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

impl Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members: Vec<(Member, Option<&str>)> = Vec::new();
        for call in &self.calls {
            let member = call.member();
            let key = if f.alternate() { Some(call.key().unwrap_or_default()) } else { None };
            match members.iter_mut().find(|(known, _)| key.is_none() && known.is_like(&member)) {
                Some((known, _)) => {
                    known.calls += 1;
                    known.ttl = known.ttl.zip(member.ttl).map(|(one, other)| one.min(other));
                }
                None => members.push((member, key)),
            }
        }
        for (at, (member, key)) in members.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            member.write(*key, f)?;
        }
        if self.further > 0 {
            write!(f, ", cached_core; detail=\"{} further calls\"", self.further)?;
        }
        Ok(())
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// `BreakerOpen` as `breaker_open`, which is how reasons serialize.
fn snake(reason: &impl fmt::Debug) -> String {
    let mut snake = String::new();
    for letter in format!("{reason:?}").chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(answer: Answer, change: impl FnOnce(&mut CallStatus)) -> CallStatus {
        let mut call = CallStatus::of("find", Some("app:k:user:\"é\""));
        call.answer = answer;
        change(&mut call);
        call
    }

    fn text(calls: impl IntoIterator<Item = CallStatus>) -> String {
        CacheStatus { calls: calls.into_iter().collect(), further: 0 }.to_string()
    }

    #[test]
    fn each_way_has_its_text() {
        let secs = |n: u64| Some(Duration::from_millis(n * 1000 + 999));
        let near = call(Answer::NearHit, |call| call.left = secs(376));
        assert_eq!(text([near]), "cached_core; hit; ttl=376; detail=near");
        assert_eq!(text([call(Answer::Hit, |_| {})]), "cached_core; hit");
        let stale = call(Answer::Hit, |call| {
            (call.is_stale, call.left, call.past_end) = (true, Some(Duration::ZERO), secs(5));
        });
        assert_eq!(text([stale]), "cached_core; hit; ttl=-5; detail=stale");
        assert_eq!(text([call(Answer::Coalesced, |_| {})]), "cached_core; fwd=miss; collapsed");
        let loaded = |change: fn(&mut CallStatus)| text([call(Answer::Loaded, change)]);
        assert_eq!(loaded(|call| call.misses.push(MissReason::Absent)), "cached_core; fwd=uri-miss; detail=absent");
        assert_eq!(
            loaded(|call| {
                call.misses.push(MissReason::BreakerOpen);
                call.unstored = Some(UnstoredReason::NoLease);
            }),
            "cached_core; fwd=miss; detail=\"breaker_open, not_stored_no_lease\""
        );
        assert_eq!(loaded(|call| call.misses.push(MissReason::Bypassed)), "cached_core; fwd=bypass; detail=bypassed");
        assert_eq!(loaded(|call| call.is_refresh = true), "cached_core; fwd=request; detail=refresh");
        assert_eq!(loaded(|_| {}), "cached_core; fwd=bypass; detail=no_cache");
        let unserved = call(Answer::Unserved, |call| call.misses.push(MissReason::Absent));
        assert_eq!(text([unserved]), "cached_core; detail=absent");
        assert_eq!(text([]), "");
    }

    #[test]
    fn calls_that_ended_alike_are_one_member() {
        let hit = |secs| call(Answer::NearHit, |call| call.left = Some(Duration::from_secs(secs)));
        assert_eq!(
            text([hit(9), call(Answer::Hit, |_| {}), hit(7), hit(8)]),
            "cached_core; hit; ttl=7; detail=\"near, 3 calls\", cached_core; hit"
        );
        assert_eq!(
            text([call(Answer::Hit, |_| {}), call(Answer::Hit, |_| {})]),
            "cached_core; hit; detail=\"2 calls\""
        );
    }

    #[test]
    fn only_the_alternate_text_has_the_key_and_it_is_ascii() {
        let status = CacheStatus { calls: vec![call(Answer::Hit, |_| {})], further: 0 };
        assert!(!format!("{status} {status:?}").contains("user"));
        assert_eq!(format!("{status:#}"), "cached_core; hit; key=\"app:k:user:\\\"%C3%A9\\\"\"");
    }
}
