//! A what-if leaves the journal untouched: not a byte of its directory, not an answer.

use std::path::Path;

use app::cli::{Arguments, Context, execute};
use app::config::{self, Config};
use app::output::{Output, Style};
use engine::{Clock, Ledger, digest};
use journal::{Batch, Options, Origin};
use serde_json::json;

use super::dice::Dice;
use super::splits::home;
use super::telling::{self, guid};
use super::worlds;
use crate::oracle::world::{By, World};
use crate::questions::bytes_of;

const SEEDS: u64 = 6;

/// A directory in which a world was told.
fn told(world: &World, seed: u64, dir: &Path) {
    let options = Options { create: true, ..Options::default() };
    let ledger = Ledger::open(dir, &options, Clock::start(), &mut |_, _| {}).unwrap();
    let mut batch = Batch::new();
    for (offset, message) in (0..).zip(super::messages(world, seed)) {
        let topic = message.stream.name().into();
        let origin = Origin::Kafka { topic, partition: 0, offset, timestamp_ms: None };
        batch.push(origin, &message.borrow(&message.header_refs()));
    }
    ledger.append(batch).unwrap();
    ledger.close().unwrap();
}

fn open(dir: &Path) -> Ledger {
    Ledger::open(dir, &Options::default(), Clock::start(), &mut |_, _| {}).unwrap()
}

fn configured(dir: &Path) -> Config {
    let overrides = config::Overrides { file: None, data_dir: Some(dir.to_owned()) };
    config::load(&overrides, []).unwrap().config
}

/// Every kind of supposition about a world, as somebody would type it.
fn suppositions(world: &World, dice: &mut Dice, home: &Path) -> Vec<Vec<String>> {
    let policy = json!({
        "revision": 1,
        "effectiveFrom": "2026-01-01",
        "settings": [{ "name": "credit-rate", "value": "0.1" }],
    });
    std::fs::write(home.join("new.json"), policy.to_string()).unwrap();
    let at = telling::instant(dice.between(worlds::window().0, worlds::window().1)).to_rfc3339();
    let subscription = guid(dice.pick(&world.subscriptions).id).to_string();
    let person = guid(world.partners[0].identities[0]).to_string();
    let plan = guid(world.plans[1].id).to_string();
    let mut all = vec![
        vec!["grant", "--on", &subscription, "--at", &at],
        vec!["grant", "--on", &subscription, "--principal", &person, "--role", "Contributor", "--at", &at],
        vec!["policy", "new.json"],
        vec!["transfer", "--subscription", &subscription, "--to", &plan, "--at", &at],
        vec!["end-pal", &person, "--at", &at],
    ];
    let held = world.grants.iter().find(|grant| grant.by == By::Assignment && grant.held.span().to.is_none());
    let grant = held.map(|grant| guid(grant.id).to_string());
    let since = held.map(|grant| telling::instant(grant.held.from.max(worlds::window().0) + 60).to_rfc3339());
    if let (Some(grant), Some(since)) = (&grant, &since) {
        all.push(vec!["revoke", grant, "--at", since]);
        all.push(vec!["role", grant, "--to", "Reader", "--at", since]);
    }
    all.into_iter().map(|words| words.into_iter().map(str::to_owned).collect()).collect()
}

/// Asks, whatever the answer: how many of them were answered.
fn ask(ledger: &Ledger, config: &Config, home: &Path, all: &[Vec<String>]) -> usize {
    let answered = |words: &&Vec<String>| {
        let line = ["what-if"].into_iter().chain(words.iter().map(String::as_str)).chain(["--json"]);
        let arguments = Arguments::of(line).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let context = Context { ledger, config, directory: home.to_owned(), actor: "ann".into(), json: true };
        let mut out = Output::new(Box::new(std::io::sink()), Box::new(std::io::sink()), Style::PLAIN);
        let answer = execute(&arguments.command, &context, &mut out);
        if let Err(refused) = &answer {
            println!("{words:?}: {refused:#}");
        }
        answer.is_ok()
    };
    all.iter().filter(answered).count()
}

#[test]
fn a_what_if_leaves_the_journal_untouched() {
    let (mut asked, mut answered) = (0, 0);
    for seed in 0..SEEDS {
        let (home, world) = (home(), worlds::make(seed));
        let data = home.path().join("data");
        told(&world, seed, &data);
        let ledger = open(&data);
        let (before, answers) = (bytes_of(&data), digest::of(&ledger.facts().unwrap()));
        let all = suppositions(&world, &mut Dice::new(seed), home.path());
        asked += all.len();
        answered += ask(&ledger, &configured(&data), home.path(), &all);
        assert_eq!(digest::of(&ledger.facts().unwrap()), answers, "seed {seed}: a question changed an answer");
        assert_eq!(bytes_of(&data), before, "seed {seed}: a question wrote something");
        ledger.close().unwrap();
        let again = open(&data);
        assert_eq!(digest::of(&again.facts().unwrap()), answers, "seed {seed}: a question was remembered");
    }
    // A life that was taken up again has several grants of one id, which is refused with the reason.
    assert!(answered * 4 > asked * 3, "of {asked} questions only {answered} were answered");
}

/// The control: one message that is appended changes bytes, and an answer.
#[test]
fn a_message_that_is_appended_is_seen_in_the_bytes() {
    let (home, world) = (home(), worlds::make(1));
    let data = home.path().join("data");
    told(&world, 1, &data);
    let ledger = open(&data);
    let (before, answers) = (bytes_of(&data), digest::of(&ledger.facts().unwrap()));
    let mut more = world.clone();
    more.usage.truncate(1);
    (more.usage[0].adjusted, more.usage[0].voided) = (Vec::new(), false);
    more.usage[0].quantity = crate::oracle::conflict::Told::of(["123.5".to_owned()]);
    let mut batch = Batch::new();
    let used = telling::tell(&more, 1).pop().expect("usage is told last");
    let message = crate::memory::Told { id: "one-more".to_owned(), ..used }.message();
    let origin = Origin::Kafka { topic: "usage".into(), partition: 1, offset: 0, timestamp_ms: None };
    batch.push(origin, &message.borrow(&message.header_refs()));
    ledger.append(batch).unwrap();
    assert_ne!(bytes_of(&data), before);
    assert_ne!(digest::of(&ledger.facts().unwrap()), answers);
}
