//! The slots of a cluster, as its nodes report them.

/// The number of slots.
pub(super) const ALL: u32 = 16_384;

/// The number of slots that the answering node owns, by its answer to CLUSTER NODES: one line for each node, its slots
/// at the end.
pub(super) fn of_this_node(nodes: &str) -> u32 {
    let is_this_one =
        |line: &&str| line.split(' ').nth(2).is_some_and(|flags| flags.split(',').any(|flag| flag == "myself"));
    nodes.lines().find(is_this_one).map_or(0, |line| line.split(' ').skip(8).map(of_range).sum())
}

/// The number of slots in `5461-10922` or `7`. Slots that are moving to or from another node stand in brackets.
fn of_range(range: &str) -> u32 {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.parse::<u32>(), last.parse::<u32>()) {
        (Ok(first), Ok(last)) if first <= last => last - first + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_of_the_node_that_answers_are_counted() {
        let other = "a1 127.0.0.1:1@10001 master - 0 1 2 connected 5461-10922";
        let this = |slots: &str| format!("{other}\nb2 127.0.0.1:2@10002 myself,master - 0 0 1 connected{slots}\n");
        assert_eq!(of_this_node(&this(" 0-16383")), ALL);
        assert_eq!(of_this_node(&this(" 0-5460 7000 [5461-<-a1]")), 5462);
        assert_eq!(of_this_node(&this("")), 0);
        assert_eq!(of_this_node(other), 0);
        assert_eq!(of_this_node(""), 0);
    }
}
