//! Reads a scenario: a TOML file with a table of what happened, in words that finance uses.
//!
//! Columns are separated by blanks, `#` begins a comment. The first column says when it was true,
//! the second what it is; `recorded=TIME` says that we learned it later, `as=NAME` names a line so
//! that a later one can speak of it. An unknown word or key is refused with file and line.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use domain::entry::Event;
use domain::ids::Currency;
use domain::period::{Day, Instant, Period};
use rust_decimal::Decimal;

use super::memory::{Body, Told};
use super::stage::{self, Names, Stage, instant, standard_dev_test_prices, standard_prices};

/// Everything that a file may say beside its expected tables, whose names begin with `expect`.
const KEYS: &[&str] = &[
    "title",
    "rules",
    "shows",
    "period",
    "currency",
    "daily",
    "prices",
    "us_prices",
    "dev_test_prices",
    "no_prices",
    "usd_per_unit",
    "channel",
    "journal",
];

/// One file, read.
#[derive(Debug)]
pub struct Scenario {
    pub path: String,
    pub title: String,
    /// The rules that it is about.
    pub rules: Vec<String>,
    /// What it shows of them: that one holds, or that one bites.
    pub shows: Vec<Shows>,
    pub period: Period,
    pub currency: Currency,
    /// Whether daily lines are asked for.
    pub daily: bool,
    pub names: Names,
    pub steps: Vec<Step>,
}

/// `PEC-1 passes`, `PEC-2 bites`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shows {
    pub rule: String,
    pub how: How,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum How {
    /// What the rule asks for is there, and nothing is taken away.
    Passes,
    /// What the rule asks for is missing: credit or a line is lost, changed or refused.
    Bites,
}

/// What a line of the table says, and when it is recorded.
#[derive(Debug)]
pub struct Step {
    pub at: Instant,
    /// Where it stands, for complaints.
    pub place: String,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    Told(Told),
    /// Told, and put aside with this code because nobody can read it.
    Quarantined(Told, String),
    /// Somebody here closes a partner's month.
    Close {
        bill_to: String,
        period: Period,
        /// It must be refused for exactly these reasons, and nothing be issued; empty: it must not.
        refused: BTreeSet<String>,
    },
    /// Somebody here voids the partner's invoice of a month.
    Void {
        bill_to: String,
        period: Period,
    },
    /// We answer every order that waits for an answer.
    Answer,
}

impl What {
    #[must_use]
    pub fn told(&self) -> Option<&Told> {
        match self {
            Self::Told(told) | Self::Quarantined(told, _) => Some(told),
            Self::Close { .. } | Self::Void { .. } | Self::Answer => None,
        }
    }
}

/// Reads a file's text, or says what is wrong with it and where.
pub fn read(path: &str, text: &str) -> anyhow::Result<Scenario> {
    parsed(path, text).with_context(|| format!("cannot read the scenario {path}"))
}

fn parsed(path: &str, text: &str) -> anyhow::Result<Scenario> {
    let file: toml::Table = text.parse()?;
    if let Some(strange) = file.keys().find(|key| !KEYS.contains(&key.as_str()) && !key.starts_with("expect")) {
        bail!("nobody knows the key `{strange}`; there are {} and tables called expect…", KEYS.join(", "));
    }
    let get = |key: &str| file.get(key).and_then(toml::Value::as_str);
    let must = |key: &str| get(key).with_context(|| format!("there is no `{key}`, or it is no text"));
    let period = Period::parse(must("period")?).context("`period` is no month such as 2025-03")?;
    let mut prices = standard_prices();
    prices.extend(texts(&file, "prices")?);
    let meters: Vec<String> = prices.keys().cloned().collect();
    prices.retain(|_, price| price != "none");
    let (us_prices, usd_per_unit) = (texts(&file, "us_prices")?, texts(&file, "usd_per_unit")?);
    let currency = Currency::parse(get("currency").unwrap_or("USD")).context("`currency` is no currency code")?;
    let ready = match get("channel") {
        None => false,
        Some("ready") => true,
        Some(other) => bail!("`channel` is `{other}`; it may be \"ready\", or be left out"),
    };
    let mut dev_test_prices = standard_dev_test_prices();
    dev_test_prices.extend(texts(&file, "dev_test_prices")?);
    let without_prices = list(&file, "no_prices")?;
    let months = without_prices.iter().map(|month| Period::parse(month));
    let without_prices = months.collect::<Option<_>>().context("`no_prices` is no list of months such as 2025-03")?;
    let journal = must("journal")?;
    let names = names(journal, &meters);
    let told = told(journal, &names)?;
    let (since, months) = time_of(period, &told);
    let stage =
        Stage { since, months, without_prices, currency, prices, us_prices, dev_test_prices, usd_per_unit, ready };
    let set = |told| Step { at: since, place: "the stage".to_owned(), what: What::Told(told) };
    let mut steps: Vec<Step> = stage.events()?.into_iter().map(set).collect();
    steps.extend(told.into_iter().map(|(_, step)| step));
    steps.sort_by_key(|step| step.at);
    let (rules, shows) = (list(&file, "rules")?, list(&file, "shows")?);
    let shows: Vec<Shows> = shows.iter().map(|text| Shows::parse(text)).collect::<anyhow::Result<_>>()?;
    for rule in rules.iter().chain(shows.iter().map(|shows| &shows.rule)) {
        if !RULES.lines().any(|line| line.starts_with(&format!("| {rule} |"))) {
            bail!("there is no rule `{rule}`; docs/rules.md lists those there are");
        }
    }
    Ok(Scenario {
        path: path.to_owned(),
        title: must("title")?.to_owned(),
        rules,
        shows,
        period,
        currency,
        daily: file.get("daily").and_then(toml::Value::as_bool).unwrap_or(false),
        names,
        steps,
    })
}

/// The document that names the rules.
const RULES: &str = include_str!("../../../../docs/rules.md");

/// Everything that lines may speak of: the cast and the props of the stage, and what lines introduce.
fn names(journal: &str, meters: &[String]) -> Names {
    let mut names = Names::default();
    for name in ["us", "shop", "other", "acme", "plan", "plan-other", "sub-a"] {
        names.learn(name);
        names.introduce(name);
    }
    for name in ["us/anna", "us/ben", "shop/anna", "us/admin-agents", "shop/admin-agents", "acme/carl", "acme/dora"] {
        names.learn(name);
    }
    meters.iter().for_each(|meter| names.price(meter));
    for (_, columns) in lines(journal) {
        if let [_, "customer" | "partner" | "plan" | "subscription", name, ..] = columns[..] {
            names.learn(name);
            names.introduce(name);
        }
        let said = columns.iter().flat_map(|column| column.split('='));
        // Of a place, the subscription that it lies in is learnt too.
        said.flat_map(|name| [Some(name), name.split('/').next()])
            .flatten()
            .for_each(|name| names.learn_stranger(name));
    }
    names
}

/// The lines that say something, with their numbers, comments taken off.
fn lines(journal: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let said = journal.lines().map(|line| line.split('#').next().unwrap_or_default());
    let split = said.map(|line| line.split_whitespace().collect::<Vec<&str>>());
    split.enumerate().filter(|(_, columns)| !columns.is_empty())
}

/// The steps of the table, each with when it was true.
fn told(journal: &str, names: &Names) -> anyhow::Result<Vec<(Instant, Step)>> {
    let mut steps = Vec::new();
    for (number, columns) in lines(journal) {
        let place = format!("line {} of the journal", number + 1);
        let read = Line::new(number, &columns, names).and_then(|line| Ok((line.at, line.steps(&place)?)));
        let (at, of_line) = read.with_context(|| format!("{place} (`{}`)", columns.join(" ")))?;
        steps.extend(of_line.into_iter().map(|step| (at, step)));
    }
    Ok(steps)
}

/// When the stage begins, a year before everything else, and the months that need prices: those of usage
/// and of closings, with one before and one after each.
fn time_of(period: Period, told: &[(Instant, Step)]) -> (Instant, BTreeSet<Period>) {
    let first = told.iter().map(|(at, step)| (*at).min(step.at)).min();
    let first = Day::of(first.unwrap_or(Instant::MAX_UTC)).period().min(period);
    let since = (0..12).fold(first, |month, _| month.previous()).first_day().start();
    let mut used = BTreeSet::from([period]);
    for (at, step) in told {
        match &step.what {
            What::Told(Told { body: Body::Event(Event::UsageRecorded(_) | Event::CoverageRecorded(_)), .. }) => {
                used.insert(Day::of(*at).period());
            }
            What::Close { period, .. } | What::Void { period, .. } => drop(used.insert(*period)),
            What::Told(_) | What::Quarantined(..) | What::Answer => {}
        }
    }
    (since, used.into_iter().flat_map(|month| [month.previous(), month, month.next()]).collect())
}

impl Shows {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let how = |word| match word {
            "passes" => Some(How::Passes),
            "bites" => Some(How::Bites),
            _ => None,
        };
        let parsed =
            text.split_once(' ').and_then(|(rule, word)| Some(Self { rule: rule.to_owned(), how: how(word)? }));
        parsed.with_context(|| format!("`shows` says `{text}`: write for example \"PEC-1 passes\" or \"PEC-1 bites\""))
    }
}

fn list(file: &toml::Table, key: &str) -> anyhow::Result<Vec<String>> {
    let Some(value) = file.get(key) else { return Ok(Vec::new()) };
    let texts = value.as_array().into_iter().flatten().map(|one| one.as_str().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    texts.filter(|_| value.is_array()).with_context(|| format!("`{key}` is no list of texts"))
}

fn texts(file: &toml::Table, key: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let Some(value) = file.get(key) else { return Ok(BTreeMap::new()) };
    let table = value.as_table().with_context(|| format!("`{key}` is no table: write [{key}] on a line of its own"))?;
    let text = |(name, value): (&String, &toml::Value)| {
        let text = value.as_str().with_context(|| format!("`{name}` of [{key}] is no text: put it in quotes"))?;
        Ok((name.clone(), text.to_owned()))
    };
    table.iter().map(text).collect()
}

/// One line of the table, its named columns apart from the others. The words themselves are in
/// `words`, a file for each stream.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) at: Instant,
    pub(super) what: &'a str,
    /// The columns after the word that have no name, in order.
    pub(super) rest: Vec<&'a str>,
    /// The columns written `name=value`.
    pub(super) named: BTreeMap<&'a str, &'a str>,
    /// What the line may speak of.
    pub(super) names: &'a Names,
}

impl<'a> Line<'a> {
    fn new(number: usize, columns: &[&'a str], names: &'a Names) -> anyhow::Result<Self> {
        let [when, what, rest @ ..] = columns else { bail!("a line needs a time and a word") };
        let named = rest.iter().filter_map(|column| column.split_once('=')).collect();
        let rest = rest.iter().filter(|column| !column.contains('=')).copied().collect();
        Ok(Self { number, at: instant(when)?, what, rest, named, names })
    }

    /// A column that must be there; `what` says what it is.
    pub(super) fn column(&self, number: usize, what: &str) -> anyhow::Result<&'a str> {
        self.rest.get(number).copied().with_context(|| format!("`{}` needs {what}", self.what))
    }

    /// A time in a column `name=TIME`, if there is one.
    pub(super) fn time(&self, name: &str) -> anyhow::Result<Option<Instant>> {
        self.named.get(name).map(|text| instant(text)).transpose()
    }

    pub(super) fn decimal(&self, number: usize) -> anyhow::Result<Decimal> {
        stage::decimal(self.column(number, "a quantity")?)
    }

    fn steps(&self, place: &str) -> anyhow::Result<Vec<Step>> {
        let place = place.to_owned();
        let step = |at, what| Step { at, place: place.clone(), what };
        if self.what == "answer" {
            return Ok(vec![step(self.at, What::Answer)]);
        }
        if matches!(self.what, "close" | "void-invoice") {
            return Ok(vec![step(self.at, self.decision()?)]);
        }
        let id = self.named.get("as").map_or_else(|| format!("line-{}", self.number + 1), |name| (*name).to_owned());
        let correction = matches!(self.what, "adjust" | "void");
        let causation = if correction { Some(self.column(0, "the name of a usage line")?.to_owned()) } else { None };
        let at = self.time("recorded")?.unwrap_or(self.at);
        let told = self.bodies()?.into_iter().map(|(end, body)| {
            let told = Told { id: format!("{id}{end}"), causation: causation.clone(), body };
            let code = self.named.get("quarantined").map(|code| (*code).to_owned());
            step(at, code.map_or_else(|| What::Told(told.clone()), |code| What::Quarantined(told.clone(), code)))
        });
        Ok(told.collect())
    }

    /// `close` and `void-invoice`: what somebody here decides about a partner's month.
    fn decision(&self) -> anyhow::Result<What> {
        let bill_to = self.column(0, "whose month")?;
        self.names.known(bill_to)?;
        let (bill_to, close) = (bill_to.to_owned(), self.what == "close");
        let period = Period::parse(self.column(1, "a month")?).context("that is no month such as 2025-03")?;
        if let Some(other) = self.rest.get(2) {
            bail!("`{other}` after the month: a closing that must be refused says why, refused=not-ended,F-no-price");
        }
        let refused = self.named.get("refused").map(|codes| codes.split(',').map(str::to_owned).collect());
        match (close, refused) {
            (true, refused) => Ok(What::Close { bill_to, period, refused: refused.unwrap_or_default() }),
            (false, None) => Ok(What::Void { bill_to, period }),
            (false, Some(_)) => bail!("`refused=` stands after `close` only"),
        }
    }
}
