//! How values and objects are read from JSON and written to a [`Sink`], described once per type.
//!
//! A [`Codec`] reads and writes one kind of value; `form!` puts named fields together into an
//! object. Reading is strict: a required field that is missing or null, a wrong JSON type, an empty
//! name and a number beyond the limits are refused with the field's path. Unknown fields are
//! ignored: producers may send more than we read.

use domain::entry::EntryRef;
use domain::ids::{Currency, Digest, Guid, Identity, Market, MeterId};
use domain::period::{Day, Instant, Period};
use domain::regions::Region;
use domain::scope::Scope;
use rust_decimal::Decimal;

use super::json::{Kind, Value};
use super::number::{self, NumberFault};
use super::rejection::{self, Problem};
use super::sink::Sink;
use super::{limits, time};

/// Reads and writes a `T` in one particular notation.
pub(crate) trait Codec<T> {
    /// `None` is a field that is not there.
    fn read(value: Option<Value<'_>>) -> Result<T, Problem>;
    fn write(value: &T, out: &mut impl Sink);
}

/// An object whose fields may also stand in another object, beside its own.
pub(crate) trait Fields: Sized {
    fn read_fields(object: Value<'_>) -> Result<Self, Problem>;
    fn write_fields(&self, out: &mut impl Sink);
}

/// Describes an object: its fields, their names in JSON and their codecs; then, after `with`, the
/// fields whose own fields stand in the same object; then, after `then`, fields that were [`Added`].
macro_rules! form {
    (
        $type:ty { $($field:ident : $name:literal as $codec:ty),* $(,)? }
        $(with { $($inner:ident),* })?
        $(then { $($late:ident : $late_name:literal as $late_codec:ty),* $(,)? })?
    ) => {
        impl $crate::wire::form::Fields for $type {
            fn read_fields(
                object: $crate::wire::json::Value<'_>,
            ) -> Result<Self, $crate::wire::rejection::Problem> {
                Ok(Self {
                    $($field: <$codec as $crate::wire::form::Codec<_>>::read(object.get($name))
                        .map_err(|problem| problem.within($name))?,)*
                    $($($inner: $crate::wire::form::Fields::read_fields(object)?,)*)?
                    $($($late: <$late_codec as $crate::wire::form::Codec<_>>::read(object.get($late_name))
                        .map_err(|problem| problem.within($late_name))?,)*)?
                })
            }

            fn write_fields(&self, out: &mut impl $crate::wire::sink::Sink) {
                $(out.field($name);
                <$codec as $crate::wire::form::Codec<_>>::write(&self.$field, out);)*
                $($($crate::wire::form::Fields::write_fields(&self.$inner, out);)*)?
                $($(out.field($late_name);
                <$late_codec as $crate::wire::form::Codec<_>>::write(&self.$late, out);)*)?
            }
        }
    };
}
pub(crate) use form;

/// An object of its own.
pub(crate) struct Object;

impl<T: Fields> Codec<T> for Object {
    fn read(value: Option<Value<'_>>) -> Result<T, Problem> {
        let value = required(value, "an object")?;
        if !value.is_object() {
            return Err(wrong_type(value, "an object"));
        }
        T::read_fields(value)
    }

    fn write(value: &T, out: &mut impl Sink) {
        out.begin_object();
        value.write_fields(out);
        out.end_object();
    }
}

/// A value that may be missing or null.
pub(crate) struct Maybe<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Option<T>> for Maybe<C> {
    fn read(value: Option<Value<'_>>) -> Result<Option<T>, Problem> {
        match value {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => C::read(Some(value)).map(Some),
        }
    }

    fn write(value: &Option<T>, out: &mut impl Sink) {
        match value {
            None => out.absent(),
            Some(value) => {
                out.present();
                C::write(value, out);
            }
        }
    }
}

/// A field that came later: like [`Maybe`], but where it is absent the canonical form has nothing at
/// all, so that what was written before the field existed keeps its digest.
pub(crate) struct Added<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Option<T>> for Added<C> {
    fn read(value: Option<Value<'_>>) -> Result<Option<T>, Problem> {
        Maybe::<C>::read(value)
    }

    fn write(value: &Option<T>, out: &mut impl Sink) {
        match value {
            None => out.left_out(),
            Some(_) => Maybe::<C>::write(value, out),
        }
    }
}

/// A value on the heap.
pub(crate) struct Boxed<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Box<T>> for Boxed<C> {
    fn read(value: Option<Value<'_>>) -> Result<Box<T>, Problem> {
        C::read(value).map(Box::new)
    }

    fn write(value: &Box<T>, out: &mut impl Sink) {
        C::write(value, out);
    }
}

/// A value that may be missing, null, or empty text, as Microsoft's own records write "nothing".
pub(crate) struct MaybeBlank<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Option<T>> for MaybeBlank<C> {
    fn read(value: Option<Value<'_>>) -> Result<Option<T>, Problem> {
        let blank = |value: Value<'_>| matches!(value.kind(), Kind::Text(text) if text.is(""));
        Maybe::<C>::read(value.filter(|value| !blank(*value)))
    }

    fn write(value: &Option<T>, out: &mut impl Sink) {
        Maybe::<C>::write(value, out);
    }
}

/// An array.
pub(crate) struct List<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Vec<T>> for List<C> {
    fn read(value: Option<Value<'_>>) -> Result<Vec<T>, Problem> {
        let value = required(value, "an array")?;
        if !value.is_array() {
            return Err(wrong_type(value, "an array"));
        }
        let element = |(index, value)| C::read(Some(value)).map_err(|p| p.within(&format!("[{index}]")));
        value.children().enumerate().map(element).collect()
    }

    fn write(value: &Vec<T>, out: &mut impl Sink) {
        out.begin_list(value.len());
        value.iter().for_each(|element| C::write(element, out));
        out.end_list();
    }
}

/// An array that may be missing or null, which is an empty one.
pub(crate) struct ListOrNone<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Vec<T>> for ListOrNone<C> {
    fn read(value: Option<Value<'_>>) -> Result<Vec<T>, Problem> {
        match value.filter(|value| !value.is_null()) {
            None => Ok(Vec::new()),
            present => List::<C>::read(present),
        }
    }

    fn write(value: &Vec<T>, out: &mut impl Sink) {
        List::<C>::write(value, out);
    }
}

/// An array with at least one element.
pub(crate) struct Some1<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Vec<T>> for Some1<C> {
    fn read(value: Option<Value<'_>>) -> Result<Vec<T>, Problem> {
        let list = List::<C>::read(value)?;
        if list.is_empty() {
            return Err(Problem::new(rejection::FIELD_VALUE, "is empty; expected at least one element"));
        }
        Ok(list)
    }

    fn write(value: &Vec<T>, out: &mut impl Sink) {
        List::<C>::write(value, out);
    }
}

pub(crate) fn required<'d>(value: Option<Value<'d>>, expected: &str) -> Result<Value<'d>, Problem> {
    value.filter(|value| !value.is_null()).ok_or_else(|| Problem::missing(expected))
}

pub(crate) fn wrong_type(value: Value<'_>, expected: &str) -> Problem {
    Problem::new(rejection::FIELD_TYPE, format!("is {}; expected {expected}", value.describe()))
}

/// Reads required text and turns it into something with `parse`.
pub(crate) fn parsed<T>(
    value: Option<Value<'_>>,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Problem> {
    let value = required(value, expected)?;
    let Kind::Text(text) = value.kind() else {
        return Err(wrong_type(value, expected));
    };
    let text = text.read()?;
    parse(&text).ok_or_else(|| Problem::value(&text, expected))
}

macro_rules! text_codec {
    ($(#[$doc:meta])* $name:ident: $type:ty, $expected:expr, $parse:expr, |$value:ident, $out:ident| $write:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Codec<$type> for $name {
            fn read(value: Option<Value<'_>>) -> Result<$type, Problem> {
                parsed(value, $expected, $parse)
            }

            fn write($value: &$type, $out: &mut impl Sink) {
                $write;
            }
        }
    };
}

fn name(text: &str) -> Option<Box<str>> {
    let fits = !is_blank(text) && !has_control(text) && chars_at_most(text, limits::NAME_CHARS);
    fits.then(|| text.into())
}

fn is_blank(text: &str) -> bool {
    // Nearly every text begins with a visible character, and then nothing more need be looked at.
    !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim().is_empty()
}

/// Whether text has a control character. All bytes are looked at without a branch, which compilers
/// turn into a few wide instructions.
pub(crate) fn has_control(text: &str) -> bool {
    let (mut plain, mut ascii) = (true, true);
    for &byte in text.as_bytes() {
        plain &= byte >= 0x20 && byte != 0x7f;
        ascii &= byte < 0x80;
    }
    !plain || (!ascii && text.chars().any(char::is_control))
}

/// Counts characters only where bytes do not already settle it.
fn chars_at_most(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().count() <= most
}

text_codec! {
    /// A name, code or id in free text: at least one visible character, no control characters.
    Name: Box<str>, "1 to 512 characters, not only blanks", name, |value, out| out.text(value)
}
text_codec! {
    /// What people wrote; may be empty.
    Words: Box<str>, "at most 65,536 characters of text", |text: &str| chars_at_most(text, limits::WORDS_CHARS).then(|| text.into()), |value, out| out.text(value)
}
text_codec! {
    /// What people must have written: a reason, an actor.
    Reason: Box<str>, "1 to 65,536 characters, not only blanks", |text: &str| (!text.trim().is_empty() && chars_at_most(text, limits::WORDS_CHARS)).then(|| text.into()), |value, out| out.text(value)
}
text_codec! {
    Id: Guid, "a GUID such as 8e3af657-a8ff-443c-a75c-2fe8c4bcb635", guid, |value, out| out.guid(*value)
}
text_codec! {
    /// A role: a GUID, or any role definition path that ends in one.
    Role: Guid, "a role definition id: a GUID, or a path that ends in one", |text: &str| guid(text.rsplit('/').next().unwrap_or(text)), |value, out| out.guid(*value)
}
text_codec! {
    /// A meter: nearly always a GUID, now and then a word such as `1core`.
    Meter: MeterId, "a meter id: a GUID, or now and then a word", |text: &str| guid(text).map(MeterId::Guid).or_else(|| name(text).map(|_| MeterId::parse(text))), |value, out| match value {
        MeterId::Guid(guid) => {
            out.tag(1);
            out.guid(*guid);
        }
        MeterId::Text(text) => {
            out.tag(0);
            out.text(text);
        }
    }
}
text_codec! {
    ArmScope: Scope, "an ARM scope such as /subscriptions/…/resourceGroups/…", scope, |value, out| out.text(value.as_str())
}
text_codec! {
    /// A point in time, strictly RFC 3339.
    Time: Instant, "a time in RFC 3339 such as 2026-01-31T22:00:00Z", time::strict, |value, out| out.instant(*value)
}
text_codec! {
    UtcDay: Day, "a day such as 2026-01-31", Day::parse, |value, out| out.text(&value.to_string())
}
text_codec! {
    Month: Period, "a month such as 2026-01", Period::parse, |value, out| out.text(&value.to_string())
}
text_codec! {
    Money: Currency, "an ISO 4217 currency code such as EUR", |text: &str| (text.len() == 3).then(|| Currency::parse(text)).flatten(), |value, out| out.text(value.as_str())
}
text_codec! {
    Country: Market, "an ISO 3166-1 country code such as DE", |text: &str| (text.len() == 2).then(|| Market::parse(text)).flatten(), |value, out| out.text(value.as_str())
}
text_codec! {
    RegionName: Region, "a region such as europe or united-states", Region::parse, |value, out| out.text(value.name())
}
text_codec! {
    Blake3: Digest, "64 hex digits", Digest::parse, |value, out| out.hex(&value.0)
}
text_codec! {
    EventIdentity: Identity, "32 hex digits", |text: &str| (text.len() == 32).then(|| guid(text)).flatten().map(|guid| Identity(guid.0)), |value, out| out.hex(&value.0.to_be_bytes())
}
text_codec! {
    Citation: EntryRef, "an entry such as 1204.0", citation, |value, out| out.text(&value.to_string())
}

fn citation(text: &str) -> Option<EntryRef> {
    let (position, index) = text.split_once('.')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain(position) && plain(index))
        .then(|| Some(EntryRef { position: position.parse().ok()?, index: index.parse().ok()? }))
        .flatten()
}

pub(crate) fn scope(text: &str) -> Option<Scope> {
    let fits = text.contains('/') && chars_at_most(text, limits::SCOPE_CHARS) && !has_control(text);
    fits.then(|| Scope::parse(text))
}

/// 32 hex digits, or 8-4-4-4-12, either case, in braces or not.
pub(crate) fn guid(text: &str) -> Option<Guid> {
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
    let bytes = text.as_bytes();
    let dashed = match bytes.len() {
        36 => true,
        32 => false,
        _ => return None,
    };
    // One pass without branches per digit: what is no digit shows in the high bits at the end.
    let mut bad = 0_u8;
    let mut run = |from: usize, to: usize| {
        bytes[from..to].iter().fold(0_u64, |value, &byte| {
            let digit = HEX[usize::from(byte)];
            bad |= digit;
            (value << 4) | u64::from(digit & 15)
        })
    };
    let (high, low) = if dashed {
        let high = (run(0, 8) << 32) | (run(9, 13) << 16) | run(14, 18);
        (high, (run(19, 23) << 48) | run(24, 36))
    } else {
        (run(0, 16), run(16, 32))
    };
    let dashes = !dashed || [8, 13, 18, 23].iter().all(|&at| bytes[at] == b'-');
    (bad < 16 && dashes).then(|| Guid((u128::from(high) << 64) | u128::from(low)))
}

/// The value of each hex digit; 255 for every other byte.
const HEX: [u8; 256] = {
    let mut table = [255_u8; 256];
    let mut digit = 0_u8;
    while digit < 16 {
        if digit < 10 {
            table[(b'0' + digit) as usize] = digit;
        } else {
            table[(b'a' + digit - 10) as usize] = digit;
            table[(b'A' + digit - 10) as usize] = digit;
        }
        digit += 1;
    }
    table
};

/// A number as JSON number or as text; both are read from their digits.
pub(crate) fn decimal(value: Option<Value<'_>>, expected: &str) -> Result<Decimal, Problem> {
    let value = required(value, expected)?;
    let read = |text: &str| {
        number::decimal(text).map_err(|fault| match fault {
            NumberFault::Form => Problem::value(text, expected),
            NumberFault::Digits => Problem::new(
                rejection::NUMBER_LIMIT,
                format!(
                    "is {}; at most {} significant digits and {} decimals are held exactly",
                    rejection::quoted(text),
                    limits::DIGITS,
                    limits::DECIMALS
                ),
            ),
        })
    };
    match value.kind() {
        Kind::Number(text) => read(text),
        Kind::Text(text) => read(&text.read()?),
        _ => Err(wrong_type(value, expected)),
    }
}

/// Any decimal number.
pub(crate) struct Number;

impl Codec<Decimal> for Number {
    fn read(value: Option<Value<'_>>) -> Result<Decimal, Problem> {
        decimal(value, "a decimal number, as text or as a JSON number")
    }

    fn write(value: &Decimal, out: &mut impl Sink) {
        out.decimal(*value);
    }
}

/// A decimal number that is not negative: prices, bounds.
pub(crate) struct NotNegative;

impl Codec<Decimal> for NotNegative {
    fn read(value: Option<Value<'_>>) -> Result<Decimal, Problem> {
        let expected = "a decimal number that is not negative";
        let number = decimal(value, expected)?;
        if number < Decimal::ZERO {
            return Err(Problem::value(&number.to_string(), expected));
        }
        Ok(number)
    }

    fn write(value: &Decimal, out: &mut impl Sink) {
        out.decimal(*value);
    }
}

/// A metered quantity or a change to one, of either sign, within the limit on whole digits.
pub(crate) struct SignedQuantity;

impl Codec<Decimal> for SignedQuantity {
    fn read(value: Option<Value<'_>>) -> Result<Decimal, Problem> {
        let quantity = decimal(value, "a decimal quantity, as text or as a JSON number")?;
        if !number::whole_digits_at_most(quantity, limits::QUANTITY_WHOLE_DIGITS) {
            let detail = format!("is {quantity}; at most {} digits before the point", limits::QUANTITY_WHOLE_DIGITS);
            return Err(Problem::new(rejection::NUMBER_LIMIT, detail));
        }
        Ok(quantity)
    }

    fn write(value: &Decimal, out: &mut impl Sink) {
        out.decimal(*value);
    }
}

/// A metered quantity. Negative ones are corrections and have a kind of their own.
pub(crate) struct Quantity;

impl Codec<Decimal> for Quantity {
    fn read(value: Option<Value<'_>>) -> Result<Decimal, Problem> {
        let quantity = SignedQuantity::read(value)?;
        if quantity < Decimal::ZERO {
            let detail =
                format!("is {quantity}; a correction is a `pec.usage.adjusted.v1` or `pec.usage.voided.v1` event");
            return Err(Problem::new(rejection::NEGATIVE_QUANTITY, detail));
        }
        Ok(quantity)
    }

    fn write(value: &Decimal, out: &mut impl Sink) {
        out.decimal(*value);
    }
}

/// A whole number from 0, as a JSON number; `1.0` is one too, as JSON Schema has it.
pub(crate) struct Whole;

fn whole(value: Option<Value<'_>>) -> Result<u64, Problem> {
    let expected = "a whole number from 0 on, as a JSON number";
    let value = required(value, expected)?;
    match value.kind() {
        Kind::Number(text) => match number::decimal(text) {
            Ok(number) if number.fract().is_zero() => u64::try_from(number).map_err(|_| Problem::value(text, expected)),
            _ => Err(Problem::value(text, expected)),
        },
        _ => Err(wrong_type(value, expected)),
    }
}

impl Codec<u64> for Whole {
    fn read(value: Option<Value<'_>>) -> Result<u64, Problem> {
        whole(value)
    }

    fn write(value: &u64, out: &mut impl Sink) {
        out.whole(*value);
    }
}

impl Codec<u32> for Whole {
    fn read(value: Option<Value<'_>>) -> Result<u32, Problem> {
        let wide = whole(value)?;
        u32::try_from(wide).map_err(|_| Problem::value(&wide.to_string(), "a whole number below 4,294,967,296"))
    }

    fn write(value: &u32, out: &mut impl Sink) {
        out.whole(u64::from(*value));
    }
}

/// True or false.
pub(crate) struct Flag;

impl Codec<bool> for Flag {
    fn read(value: Option<Value<'_>>) -> Result<bool, Problem> {
        let value = required(value, "true or false")?;
        match value.kind() {
            Kind::Bool(flag) => Ok(flag),
            _ => Err(wrong_type(value, "true or false")),
        }
    }

    fn write(value: &bool, out: &mut impl Sink) {
        out.boolean(*value);
    }
}

/// A flag that is false where nothing is said.
pub(crate) struct FlagOrFalse;

impl Codec<bool> for FlagOrFalse {
    fn read(value: Option<Value<'_>>) -> Result<bool, Problem> {
        Ok(Maybe::<Flag>::read(value)?.unwrap_or(false))
    }

    fn write(value: &bool, out: &mut impl Sink) {
        out.boolean(*value);
    }
}

/// A choice among words, each standing for one value.
macro_rules! words {
    ($name:ident: $type:ty { $($word:literal = $value:path),* $(,)? }) => {
        pub(crate) struct $name;

        impl $crate::wire::form::Codec<$type> for $name {
            fn read(value: Option<$crate::wire::json::Value<'_>>) -> Result<$type, $crate::wire::rejection::Problem> {
                let expected = concat!("one of", $(" `", $word, "`"),*);
                $crate::wire::form::parsed(value, expected, |text| match text {
                    $($word => Some($value),)*
                    _ => None,
                })
            }

            fn write(value: &$type, out: &mut impl $crate::wire::sink::Sink) {
                out.text(match value { $($value => $word),* });
            }
        }
    };
}
pub(crate) use words;
