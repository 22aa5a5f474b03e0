//! Reads a scenario: a TOML file with a table of what happened, in words that finance uses.
//!
//! Columns are separated by blanks, `#` begins a comment. The first column says when it was true,
//! the second what it is; `recorded=TIME` says that we learned it later, `as=NAME` names a line so
//! that a later one can speak of it. An unknown word or key is refused with file and line.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use domain::ids::Currency;
use domain::period::{Instant, Period};
use rust_decimal::Decimal;

use super::memory::Told;
use super::stage::{self, Names, Stage, instant, long_ago, standard_prices};

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
#[expect(clippy::large_enum_variant, reason = "a scenario has a few dozen steps")]
pub enum What {
    Told(Told),
    /// Somebody here closes a partner's month.
    Close {
        bill_to: String,
        period: Period,
        /// It must be refused, and nothing be issued.
        refused: bool,
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
            Self::Told(told) => Some(told),
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
    prices.retain(|_, price| price != "none");
    let (us_prices, usd_per_unit) = (texts(&file, "us_prices")?, texts(&file, "usd_per_unit")?);
    let currency = Currency::parse(get("currency").unwrap_or("USD")).context("`currency` is no currency code")?;
    let ready = match get("channel") {
        None => false,
        Some("ready") => true,
        Some(other) => bail!("`channel` is `{other}`; it may be \"ready\", or be left out"),
    };
    let stage = Stage { period, currency, prices, us_prices, usd_per_unit, ready };
    let mut names = Names::default();
    for name in ["us", "shop", "other", "acme", "plan", "plan-other", "sub-a", "us/anna", "us/ben", "shop/anna"] {
        names.learn(name);
    }
    for name in ["us/admin-agents", "shop/admin-agents", "acme/carl", "acme/dora"] {
        names.learn(name);
    }
    stage.prices.keys().for_each(|meter| names.learn(meter));
    let set = |told| Step { at: long_ago(), place: "the stage".to_owned(), what: What::Told(told) };
    let mut steps: Vec<Step> = stage.events()?.into_iter().map(set).collect();
    for (number, line) in must("journal")?.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let columns: Vec<&str> = line.split_whitespace().collect();
        if !columns.is_empty() {
            let place = format!("line {} of the journal", number + 1);
            let step = Line::new(number, &columns).and_then(|line| line.step(&place, &mut names));
            steps.push(step.with_context(|| format!("{place} (`{}`)", line.trim()))?);
        }
    }
    steps.sort_by_key(|step| step.at);
    let (rules, shows) = (list(&file, "rules")?, list(&file, "shows")?);
    let shows = shows.iter().map(|text| Shows::parse(text)).collect::<anyhow::Result<_>>()?;
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
}

impl<'a> Line<'a> {
    fn new(number: usize, columns: &[&'a str]) -> anyhow::Result<Self> {
        let [when, what, rest @ ..] = columns else { bail!("a line needs a time and a word") };
        let named = rest.iter().filter_map(|column| column.split_once('=')).collect();
        let rest = rest.iter().filter(|column| !column.contains('=')).copied().collect();
        Ok(Self { number, at: instant(when)?, what, rest, named })
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

    fn step(&self, place: &str, names: &mut Names) -> anyhow::Result<Step> {
        let place = place.to_owned();
        if self.what == "answer" {
            return Ok(Step { at: self.at, place, what: What::Answer });
        }
        if matches!(self.what, "close" | "void-invoice") {
            let bill_to = self.column(0, "whose month")?.to_owned();
            let period = Period::parse(self.column(1, "a month")?).context("that is no month such as 2025-03")?;
            let close = self.what == "close";
            let refused = match self.rest.get(2) {
                None => false,
                Some(&"refused") if close => true,
                Some(other) => bail!("`{other}` after the month: only `refused` may stand there, after `close`"),
            };
            let what = if close { What::Close { bill_to, period, refused } } else { What::Void { bill_to, period } };
            return Ok(Step { at: self.at, place, what });
        }
        let body = self.body(names)?;
        let id = self.named.get("as").map_or_else(|| format!("line-{}", self.number + 1), |name| (*name).to_owned());
        let correction = matches!(self.what, "adjust" | "void");
        let causation = if correction { Some(self.column(0, "the name of a usage line")?.to_owned()) } else { None };
        let at = self.time("recorded")?.unwrap_or(self.at);
        Ok(Step { at, place, what: What::Told(Told { id, causation, body }) })
    }
}
