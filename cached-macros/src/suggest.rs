//! "Did you mean": the nearest name by edit distance.

/// The candidate nearest to `wanted`, if it is near enough to be a typing error.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong, but at least one: `uid` means `id`, `age` does not.
    let tolerated = (wanted.chars().count() / 3).max(1);
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        // A name of one letter is one edit away from any other, which does not make them similar.
        .filter(|&(distance, candidate)| distance <= tolerated && distance < candidate.chars().count())
        // If two are equally near, the one with the same letters wins: `bd` means `db`, not `id`.
        .min_by_key(|&(distance, candidate)| (distance, candidate.chars().filter(|&c| !wanted.contains(c)).count()))
        .map(|(_, candidate)| candidate)
}

/// "did you mean `id`? ", or nothing. Messages put it before the list of accepted names.
pub(crate) fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, candidates).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default()
}

/// Names of options elsewhere (in `cached`, in Spring, in HTTP), and our name for them.
const ALIASES: [(&[&str], &str); 15] = [
    (&["ttl_secs", "ttl_seconds", "ttl_millis", "expire", "expires", "expiry", "time", "max_age"], "ttl"),
    (&["name", "prefix", "convert"], "key"),
    (&["condition", "unless", "when", "result"], "cache_if"),
    (&["option"], "none_ttl"),
    (&["cache_err", "cache_error", "cache_errors", "cache_error_if", "err_if", "store_error", "errors"], "error_if"),
    (&["err_ttl", "negative_ttl"], "error_ttl"),
    (&["on", "event", "events", "listen", "listens", "invalidated_by", "depends_on", "evict_on"], "invalidate_on"),
    (&["tag", "label", "labels"], "tags"),
    (&["label", "labels"], "tag"),
    (&["swr", "stale", "revalidate", "grace"], "stale_while_revalidate"),
    (&["sie", "if_error", "on_error", "serve_stale", "fail_safe"], "stale_if_error"),
    (&["xfetch", "early", "beta", "ahead", "eager"], "refresh_ahead"),
    (&["task", "detach", "detached"], "spawn"),
    (&["timeout", "soft_timeout"], "load_timeout"),
    (&["on_error", "on_failure", "if_unavailable", "fail"], "on_unavailable"),
];

/// The option that is meant by another name or a typing error.
pub(crate) fn option_meant<'a>(wanted: &str, options: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let options: Vec<&str> = options.into_iter().collect();
    let mut known = ALIASES.iter().filter(|(aliases, _)| aliases.contains(&wanted)).map(|(_, option)| *option);
    known.find(|option| options.contains(option)).or_else(|| nearest(wanted, options))
}

/// The number of letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    // The row before the previous one, which swaps need.
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let mut last_left = None;

    for (row, l) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, r) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&previous, column) + usize::from(l != *r);
            let removed = at(&previous, column + 1) + 1;
            let inserted = at(&current, column) + 1;
            let mut best = replaced.min(removed).min(inserted);

            let left_of_r = column.checked_sub(1).and_then(|column| right.get(column));
            if last_left == Some(*r) && left_of_r == Some(&l) {
                best = best.min(at(&before, column - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
        last_left = Some(l);
    }
    previous.last().copied().unwrap_or(usize::MAX)
}
