use super::*;

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

fn known(partition: i32, next_offset: i64, last: Option<i64>) -> Known {
    Known { topic: "t".to_owned(), partition, next_offset, last_delivered: last.map(|offset| (offset, digest(7))) }
}

fn seen(watermarks: &[(i64, i64)]) -> Vec<Seen> {
    vec![Seen { topic: "t".to_owned(), stream: Stream::Usage, watermarks: watermarks.to_vec() }]
}

fn one(known: &[Known], watermarks: &[(i64, i64)], accept: &[Accept]) -> Result<Start, Fault> {
    plan(known, &seen(watermarks), false, accept).map(|mut starts| starts.remove(0))
}

#[test]
fn an_unknown_topic_starts_at_its_low_watermark() {
    let starts = plan(&[], &seen(&[(3, 9), (0, 0)]), false, &[]).unwrap();
    assert_eq!(
        starts.iter().map(|s| (s.partition, s.offset, s.reason)).collect::<Vec<_>>(),
        vec![(0, 3, Reason::Adopted), (1, 0, Reason::Adopted)]
    );
}

#[test]
fn a_known_partition_resumes_at_the_journals_offset() {
    for next in [3, 5, 9] {
        let start = one(&[known(0, next, Some(next - 1))], &[(3, 9)], &[]).unwrap();
        assert_eq!((start.offset, start.reason), (next, Reason::Resumed));
    }
}

/// After an aborted transaction the offset before the next one holds no record: the witness is
/// the last record that was delivered.
#[test]
fn the_witness_is_the_last_delivered_record() {
    let start = one(&[known(0, 4, Some(0))], &[(0, 4)], &[]).unwrap();
    assert_eq!(start.witness, Some((0, digest(7))));
    let seen = seen(&[(0, 4)]);
    assert!(witnesses(&mut [start.clone()], &seen, &[Refetched::Record(digest(7))], &[]).is_ok());
    for wrong in [Refetched::Record(digest(8)), Refetched::Nothing] {
        let fault = witnesses(&mut [start.clone()], &seen, &[wrong], &[Accept::RetentionGap]).unwrap_err();
        assert_eq!(fault.name(), "recreated-topic", "{wrong:?}");
        let mut accepted = [start.clone()];
        witnesses(&mut accepted, &seen, &[wrong], &[Accept::RecreatedTopic]).unwrap();
        assert_eq!((accepted[0].offset, accepted[0].reason), (0, Reason::Accepted(Accept::RecreatedTopic)));
    }
}

/// The last record expired: that proves neither that the topic is the same nor that it is not.
#[test]
fn an_expired_witness_is_inconclusive() {
    let start = one(&[known(0, 5, Some(4))], &[(5, 9)], &[]).unwrap();
    assert_eq!(start.witness, None);
    assert!(witnesses(&mut [start], &seen(&[(5, 9)]), &[], &[]).is_ok());
}

#[test]
fn a_retention_gap_is_named_and_can_be_accepted() {
    let before = [known(0, 2, Some(1))];
    let fault = one(&before, &[(5, 9)], &[]).unwrap_err();
    assert_eq!(fault.name(), "retention-gap");
    assert!(fault.to_string().contains("offsets 2 to 4"), "{fault}");
    assert!(one(&before, &[(5, 9)], &[Accept::RecreatedTopic]).is_err(), "another acceptance does not count");
    let start = one(&before, &[(5, 9)], &[Accept::RetentionGap]).unwrap();
    assert_eq!((start.offset, start.reason), (5, Reason::Accepted(Accept::RetentionGap)));
}

#[test]
fn a_log_shorter_than_what_we_read_is_named_and_can_be_accepted() {
    let before = [known(0, 10, Some(9))];
    assert_eq!(one(&before, &[(0, 9)], &[]).unwrap_err().name(), "truncated");
    assert!(one(&before, &[(0, 9)], &[Accept::RetentionGap]).is_err());
    let start = one(&before, &[(0, 9)], &[Accept::RecreatedTopic]).unwrap();
    assert_eq!((start.offset, start.witness), (0, None));
}

#[test]
fn a_changed_partition_count_is_named_and_can_be_accepted() {
    let before = [known(0, 1, None), known(1, 1, None)];
    let more = seen(&[(0, 1), (0, 1), (0, 4)]);
    assert_eq!(plan(&before, &more, false, &[]).unwrap_err().name(), "partition-count-changed");
    let starts = plan(&before, &more, false, &[Accept::NewPartitions]).unwrap();
    assert_eq!(starts.iter().map(|s| s.offset).collect::<Vec<_>>(), vec![1, 1, 0]);
    assert_eq!(starts[2].reason, Reason::Adopted);

    let fewer = seen(&[(0, 1)]);
    let fault = plan(&before, &fewer, false, &[Accept::NewPartitions]).unwrap_err();
    assert!(fault.hint().contains("recreated"), "{}", fault.hint());
    let starts = plan(&before, &fewer, false, &[Accept::RecreatedTopic]).unwrap();
    assert_eq!((starts.len(), starts[0].offset), (1, 0));
    assert_eq!(gone(&before, &fewer), vec![("t".to_owned(), 1)]);
    assert_eq!(gone(&before, &more), vec![]);
    // Once that is recorded, the partition that is gone no longer counts.
    let after = [known(0, 1, None), known(1, GONE, None)];
    assert_eq!(plan(&after, &fewer, false, &[]).unwrap()[0].reason, Reason::Resumed);
    assert_eq!(gone(&after, &fewer), vec![]);
}

#[test]
fn another_cluster_is_named_and_can_be_accepted() {
    assert!(!cluster(None, Some("a"), &[]).unwrap());
    assert!(!cluster(Some("a"), Some("a"), &[]).unwrap());
    assert_eq!(cluster(Some("a"), Some("b"), &[]).unwrap_err().name(), "other-cluster");
    assert!(cluster(Some("a"), Some("b"), &[Accept::OtherCluster]).unwrap());
    let starts = plan(&[known(0, 10, Some(9))], &seen(&[(2, 3)]), true, &[Accept::OtherCluster]).unwrap();
    assert_eq!((starts[0].offset, starts[0].reason), (2, Reason::Accepted(Accept::OtherCluster)));
}

#[test]
fn out_of_range_finds_the_partition() {
    let next = [("t".to_owned(), 0, 5), ("t".to_owned(), 1, 2), ("u".to_owned(), 0, 9)];
    assert_eq!(out_of_range(&next, &[(0, 9), (3, 9), (0, 9)]).unwrap().name(), "retention-gap");
    assert_eq!(out_of_range(&next, &[(0, 9), (0, 9), (0, 8)]).unwrap().name(), "truncated");
    assert!(out_of_range(&next, &[(0, 9), (0, 9), (0, 9)]).is_none());
}

#[test]
fn dangerous_topic_settings_are_said() {
    let safe = BTreeMap::from([
        ("cleanup.policy".to_owned(), "delete".to_owned()),
        ("min.insync.replicas".to_owned(), "2".to_owned()),
    ]);
    assert!(topic_settings("t", &safe).is_empty());
    let risky = BTreeMap::from([
        ("cleanup.policy".to_owned(), "compact".to_owned()),
        ("unclean.leader.election.enable".to_owned(), "true".to_owned()),
        ("min.insync.replicas".to_owned(), "1".to_owned()),
    ]);
    assert_eq!(topic_settings("t", &risky).len(), 3);
}

#[test]
fn every_acceptance_has_one_word() {
    for accept in Accept::ALL {
        assert_eq!(Accept::parse(accept.name()), Some(accept));
    }
    assert_eq!(Accept::parse("everything"), None);
}

/// What is remembered of an acceptance is what it did: which partition, which offsets. Nothing where
/// nothing differed, and nothing that another word would have accepted.
#[test]
fn what_was_accepted_is_said_for_each_partition_that_differed() {
    let before = [known(0, 2, Some(1)), known(1, 8, Some(7))];
    let told = |watermarks: &[(i64, i64)], accept: &[Accept]| -> Vec<(Accept, String)> {
        let seen = seen(watermarks);
        let starts = plan(&before, &seen, false, accept).unwrap();
        accepted((&before, None), (&starts, None), &gone(&before, &seen), accept)
    };
    assert_eq!(told(&[(0, 9), (0, 9)], &Accept::ALL), []);
    let gap = told(&[(5, 9), (0, 9)], &Accept::ALL);
    assert_eq!(gap, [(Accept::RetentionGap, "t/0: offsets 2 to 4 were deleted before they were read".to_owned())]);
    let shorter = told(&[(0, 9), (0, 3)], &Accept::ALL);
    assert_eq!(shorter.len(), 1);
    assert!(shorter[0].0 == Accept::RecreatedTopic && shorter[0].1.contains("8 was due, and it ends at 3"));
    let added = told(&[(0, 9), (0, 9), (4, 6)], &Accept::ALL);
    assert_eq!(added, [(Accept::NewPartitions, "t/2: a partition that was added, read from offset 4".to_owned())]);
    let fewer = told(&[(0, 9)], &Accept::ALL);
    assert_eq!(fewer.len(), 2, "one is read anew, one is gone: {fewer:?}");
    assert!(fewer.iter().all(|(accept, _)| *accept == Accept::RecreatedTopic));

    let starts = plan(&before, &seen(&[(0, 9), (0, 9)]), true, &Accept::ALL).unwrap();
    let moved = accepted((&before, Some("one")), (&starts, Some("two")), &[], &[Accept::OtherCluster]);
    assert_eq!(moved, [(Accept::OtherCluster, "cluster two in place of one: every topic is read anew".to_owned())]);
}
