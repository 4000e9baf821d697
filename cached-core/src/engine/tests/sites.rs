//! The state of sites in a cache.

use super::*;
use crate::codec::Codec;
use crate::engine::SiteState;
use crate::near::keep::Unkept;
use crate::site::{Site, SiteSpec};
use crate::ttl::{NoneTtl, TtlSpec};

#[expect(clippy::large_types_passed_by_value, reason = "made where it is passed")]
fn site(spec: SiteSpec) -> &'static Site {
    Box::leak(Box::new(Site::new(spec)))
}

#[tokio::test]
async fn each_cache_has_its_own_counters_of_a_site() {
    let (first, second) = (Subject::new(), Subject::new());
    let site = site(SiteSpec { name: "f", ..SiteSpec::DEFAULT });
    for on in [&first, &second] {
        let state = on.engine().site(site);
        assert!(std::ptr::from_ref(&*state) == std::ptr::from_ref(&*on.engine().site(site)));
        assert!(std::ptr::eq(state.site, site));
        state.counters.loads.one();
        assert_eq!(on.stats_of("f").loads, 1);
    }
}

#[tokio::test]
async fn sites_are_listed_by_their_place() {
    let on = Subject::new();
    for (name, file, line) in [("d", "b", 1), ("c", "a", 10), ("b", "a", 2), ("a", "a", 2)] {
        on.engine().site(site(SiteSpec { name, file, line, ..SiteSpec::DEFAULT }));
    }
    let names: Vec<_> = on.cache.stats().sites.into_iter().map(|site| site.site).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[expect(clippy::large_types_passed_by_value, reason = "made where it is passed")]
fn state(on: &Subject, spec: SiteSpec) -> SiteState {
    SiteState::new(site(spec), &on.engine().settings, || on.engine().near())
}

#[tokio::test]
async fn the_cache_supplies_options_that_a_site_leaves_open() {
    let on = Subject::with(|builder| builder.jitter(0.3).ttl_class("own", Duration::from_secs(7)));
    let secs = Duration::from_secs;
    let unsaid = state(&on, SiteSpec::DEFAULT);
    assert_eq!((unsaid.ttl, unsaid.none_ttl, unsaid.codec), (secs(600), Some(secs(60)), Codec::Json));
    assert!((unsaid.jitter - 0.3).abs() < f64::EPSILON);

    let said = state(&on, SiteSpec { jitter: Some(0.5), codec: Some(Codec::Postcard), ..SiteSpec::DEFAULT });
    assert_eq!(said.codec, Codec::Postcard);
    assert!((said.jitter - 0.5).abs() < f64::EPSILON);

    let ttl = |ttl| state(&on, SiteSpec { ttl, ..SiteSpec::DEFAULT }).ttl;
    assert_eq!(ttl(TtlSpec::Class("own")), secs(7));
    assert_eq!(ttl(TtlSpec::Class("unknown")), secs(600));
    assert_eq!(ttl(TtlSpec::Millis(5)), ms(5));
    assert_eq!(ttl(TtlSpec::Dynamic), secs(600));

    let none = |none_ttl| state(&on, SiteSpec { none_ttl: Some(none_ttl), ..SiteSpec::DEFAULT }).none_ttl;
    assert_eq!(none(NoneTtl::Class("own")), Some(secs(7)));
    assert_eq!(none(NoneTtl::Class("unknown")), Some(secs(60)));
    assert_eq!(none(NoneTtl::Millis(5)), Some(ms(5)));
    assert_eq!(none(NoneTtl::Off), None);
}

#[tokio::test]
async fn a_fingerprint_depends_on_the_type_and_the_generic_arguments() {
    let on = Subject::new();
    let state = state(&on, SiteSpec::DEFAULT);
    let (one, other) = ("shop::find<A>", "shop::find<B>");
    let all = [state.fingerprint::<u64>(one), state.fingerprint::<u64>(other), state.fingerprint::<String>(one)];
    let of = |path| fingerprint::of::<u64>(Codec::Json, None, &state.identity, &fingerprint::generics(path)).value;
    assert_eq!(all[0], of(one));
    assert_eq!(all[1], of(other));
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    let elsewhere: &'static str = String::from(one).leak();
    assert_eq!(state.fingerprint::<u64>(elsewhere), all[0], "a path may stand in the program several times");
    let again = [state.fingerprint::<u64>(one), state.fingerprint::<u64>(other), state.fingerprint::<String>(one)];
    assert_eq!(all, again);
    assert_eq!(state.fingerprints.read().unwrap().len(), 3, "made once each");
}

/// A type with a hidden part: its visible shape is the same whatever that is.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind")]
enum Hiding {
    #[serde(other)]
    Any,
}

#[tokio::test]
async fn the_builders_version_applies_to_values_cached_by_hand() {
    let by_hand = SiteSpec { name: "Cache::entry", ..SiteSpec::DEFAULT };
    let annotated = SiteSpec { template: &[crate::key::Piece::Literal("hiding")], ..by_hand };
    let fingerprints = |version: Option<u32>, spec: SiteSpec| {
        let on = Subject::with(|builder| version.into_iter().fold(builder, crate::CacheBuilder::version));
        let state = state(&on, spec);
        let of = |version| fingerprint::of::<Hiding>(Codec::Json, version, &state.identity, "").value;
        (state.fingerprint::<Hiding>(""), of(None), of(version))
    };
    let (unsaid, of_build, _) = fingerprints(None, by_hand);
    assert_eq!(unsaid, of_build, "without a version, each build has its own");
    let mut said = Vec::new();
    for version in [1, 2] {
        let (fingerprint, of_build, of_version) = fingerprints(Some(version), by_hand);
        assert_eq!(fingerprint, of_version);
        assert_ne!(fingerprint, of_build, "all builds with this version share it");
        said.push(fingerprint);
        let (fingerprint, of_build, _) = fingerprints(Some(version), annotated);
        assert_eq!(fingerprint, of_build, "an attribute has a `version` of its own");
    }
    assert_ne!(said[0], said[1]);
}

#[tokio::test]
async fn a_value_cached_by_hand_under_another_version_is_not_found() {
    let store: Arc<dyn crate::store::Store> = Arc::new(crate::store::MemoryStore::new(1 << 20, crate::Clock::system()));
    let cache = |version| {
        Cache::builder()
            .namespace("shop")
            .store(Arc::clone(&store))
            .version(version)
            .check_sites(false)
            .build()
            .unwrap()
    };
    let (one, again, two) = (cache(1), cache(1), cache(2));
    one.entry("hiding").set(&Hiding::Any).await.unwrap();
    assert!(again.get::<Hiding>("hiding").await.is_some());
    assert!(two.get::<Hiding>("hiding").await.is_none());
    let loaded = two.entry("hiding").get_or_load(|| async { Ok::<_, ()>(Hiding::Any) }).await;
    assert!(loaded.is_ok());
    two.flush().await;
    assert!(one.get::<Hiding>("hiding").await.is_some() && two.get::<Hiding>("hiding").await.is_some(), "side by side");
}

#[tokio::test]
async fn a_none_is_not_stored_when_none_ttl_is_off() {
    use crate::engine::call::{Call, read};
    use crate::engine::policy::Policy;
    use crate::outcome::OptionValue;
    let on = Subject::new();
    let site = site(SiteSpec { name: "f", none_ttl: Some(NoneTtl::Off), ..SiteSpec::DEFAULT });
    let call = Call::of(Arc::clone(on.engine()), on.engine().site(site), Ok(on.key()), "");
    let mut load =
        read(call.typed(OptionValue::<u64>::default()), OptionValue::<u64>::default(), Unkept).await.unwrap_err();
    let returned = load.run(&Policy::<u64>::default(), async { None::<u64> }).await;
    assert_eq!(load.settle(OptionValue::default(), &Policy::default(), returned), None);
    assert_eq!(on.stats_of("f").unstored[&UnstoredReason::Policy], 1);
}
