//! A run: the identities of one sealed segment, sorted, in a file beside it.
//!
//! In memory it costs a filter (12 bits an identity) and a fence (one number a page); the records
//! stay on disk and are read a page at a time. Every page, the fence and the filter have checksums.
//! A run is derived: delete it and it is built again from the frames of its segment.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use domain::entry::EntryRef;
use domain::ids::Identity;

use super::{Known, Table};
use crate::bytes::{Cursor, Malformed, Parsed, Put};
use crate::disk::sync_directory;
use crate::fault::{Doing, Fault};
use crate::frame::{Chain, FORMAT_VERSION};

const MAGIC: [u8; 4] = *b"PECI";
const PAGE: usize = 4096;
const RECORD: usize = 36;
/// Records in a page: what fits beside the count and the checksum.
const PER_PAGE: usize = 113;
const SUM: usize = 16;
/// Bits of filter for one identity: about one false answer in 150.
const FILTER_BITS: usize = 12;
const PROBES: u32 = 7;
const CONFLICTING: u32 = 1 << 31;

/// An open run.
pub(crate) struct Run {
    file: File,
    path: PathBuf,
    pub(crate) records: u64,
    /// The upper half of the first identity of each page.
    fence: Vec<u64>,
    filter: Filter,
    pages_at: u64,
}

/// Blocks of 512 bits: all bits of an identity lie in one, which is one cache line.
struct Filter {
    words: Vec<u64>,
}

impl Filter {
    fn for_records(records: usize) -> Self {
        let blocks = (records * FILTER_BITS).div_ceil(512).max(1);
        Self { words: vec![0; blocks * 8] }
    }

    /// The bits of an identity: its upper half chooses the block, its lower half the bits.
    fn bits(&self, identity: Identity) -> impl Iterator<Item = (usize, u64)> + use<> {
        let blocks = (self.words.len() / 8) as u128;
        let block = (((identity.0 >> 64) * blocks) >> 64) as usize;
        let low = identity.0 as u64;
        (0..PROBES).map(move |probe| {
            let bit = (low >> (9 * probe)) & 511;
            (block * 8 + (bit / 64) as usize, 1 << (bit % 64))
        })
    }

    fn add(&mut self, identity: Identity) {
        for (word, bit) in self.bits(identity) {
            self.words[word] |= bit;
        }
    }

    fn may_hold(&self, identity: Identity) -> bool {
        self.bits(identity).all(|(word, bit)| self.words[word] & bit != 0)
    }
}

impl Run {
    pub(crate) fn path_of(segment: &Path) -> PathBuf {
        segment.with_extension("identities")
    }

    /// Writes the run of a segment and opens it.
    pub(crate) fn build(segment: &Path, number: u32, chain: Chain, known: &Table) -> Result<Self, Fault> {
        let path = Self::path_of(segment);
        let temporary = path.with_extension("identities-tmp");
        let file = File::create(&temporary).doing("create", &temporary)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        write(&mut out, number, chain, known).doing("write", &temporary)?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error).doing("write", &temporary)?;
        file.sync_all().doing("sync", &temporary)?;
        crate::crash::point("seal.run_written");
        std::fs::rename(&temporary, &path).doing("rename", &temporary)?;
        sync_directory(path.parent().expect("a run lies beside its segment"))?;
        Self::open(segment, number, chain)
    }

    /// Opens the run of a segment; refuses one of another segment and a damaged one.
    pub(crate) fn open(segment: &Path, number: u32, chain: Chain) -> Result<Self, Fault> {
        let path = Self::path_of(segment);
        let file = File::open(&path).doing("open", &path)?;
        let damaged = |reason: &str| Fault::damaged(&path, reason);
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).map_err(|_| damaged("its header is cut off"))?;
        let header =
            Header::read(&header).map_err(|Malformed| damaged("its header does not agree with its checksum"))?;
        if (header.segment, header.chain) != (number, chain) {
            return Err(damaged("it belongs to another segment"));
        }
        let length = file.metadata().doing("measure", &path)?.len();
        if header.length() != Some(length) {
            return Err(damaged("its length is not what its header says"));
        }
        let fence = read_words(&file, HEADER as u64, header.pages).map_err(|_| damaged("its fence is damaged"))?;
        let words =
            read_words(&file, header.filter_at(), header.filter).map_err(|_| damaged("its filter is damaged"))?;
        let pages_at = header.pages_at();
        Ok(Self { file, path, records: header.records, fence, filter: Filter { words }, pages_at })
    }

    /// Whether the filter lets an identity pass: nearly always only where something is remembered under it.
    pub(crate) fn may_hold(&self, identity: Identity) -> bool {
        self.filter.may_hold(identity)
    }

    /// Everything remembered under an identity, first accepted first.
    pub(crate) fn lookup(&self, identity: Identity) -> Result<Vec<Known>, Fault> {
        let mut found = Vec::new();
        if !self.may_hold(identity) {
            return Ok(found);
        }
        let upper = (identity.0 >> 64) as u64;
        let from = self.fence.partition_point(|first| *first < upper).saturating_sub(1);
        for page in from..self.fence.len() {
            if self.fence[page] > upper {
                break;
            }
            found.extend(self.page(page)?.into_iter().filter(|known| known.identity == identity));
        }
        Ok(found)
    }

    /// How many pages of records there are.
    #[cfg(test)]
    pub(crate) fn pages(&self) -> usize {
        self.fence.len()
    }

    /// Bytes in memory and on disk.
    pub(crate) fn costs(&self) -> (u64, u64) {
        let memory = (self.fence.len() + self.filter.words.len()) as u64 * 8;
        (memory, self.pages_at + self.fence.len() as u64 * PAGE as u64)
    }

    pub(crate) fn page(&self, page: usize) -> Result<Vec<Known>, Fault> {
        let mut bytes = vec![0; PAGE];
        self.file.read_exact_at(&mut bytes, self.pages_at + (page * PAGE) as u64).doing("read", &self.path)?;
        let (content, sum) = bytes.split_at(PAGE - SUM);
        let damaged = || {
            Fault::damaged(
                &self.path,
                format!("page {page} does not agree with its checksum; delete the file, it is built again"),
            )
        };
        if sum != &blake3::hash(content).as_bytes()[..SUM] {
            return Err(damaged());
        }
        let mut cursor = Cursor::new(content);
        let count = cursor.u16().map_err(|_| damaged())?;
        (0..count).map(|_| read_record(&mut cursor).map_err(|_| damaged())).collect()
    }
}

/// Magic, version, reserved, segment, chain, three counts, checksum.
const HEADER: usize = 4 + 2 + 2 + 4 + 32 + 24 + 32;

struct Header {
    segment: u32,
    chain: Chain,
    records: u64,
    pages: u64,
    filter: u64,
}

impl Header {
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.put(&MAGIC);
        out.put(&FORMAT_VERSION.to_be_bytes());
        out.put(&[0, 0]);
        out.put(&self.segment.to_be_bytes());
        out.put(&self.chain);
        [self.records, self.pages, self.filter].iter().for_each(|count| out.put(&count.to_be_bytes()));
        let sum = blake3::hash(&out);
        out.put(sum.as_bytes());
        out
    }

    fn read(bytes: &[u8; HEADER]) -> Parsed<Self> {
        let (content, sum) = bytes.split_at(HEADER - 32);
        let mut cursor = Cursor::new(content);
        if blake3::hash(content).as_bytes() != sum || cursor.array()? != MAGIC || cursor.u16()? != FORMAT_VERSION {
            return Err(Malformed);
        }
        cursor.u16()?;
        Ok(Self {
            segment: cursor.u32()?,
            chain: cursor.array()?,
            records: cursor.u64()?,
            pages: cursor.u64()?,
            filter: cursor.u64()?,
        })
    }

    /// Where the filter begins, behind the fence. `length` has seen that these do not overflow.
    fn filter_at(&self) -> u64 {
        HEADER as u64 + self.pages * 8 + SUM as u64
    }

    fn pages_at(&self) -> u64 {
        self.filter_at() + self.filter * 8 + SUM as u64
    }

    fn length(&self) -> Option<u64> {
        let words = self.pages.checked_add(self.filter)?.checked_mul(8)?;
        self.pages.checked_mul(PAGE as u64)?.checked_add(words)?.checked_add((HEADER + 2 * SUM) as u64)
    }
}

/// Writes the pages first, because only they tell the fence that stands before them.
fn write(out: &mut (impl Write + Seek), segment: u32, chain: Chain, known: &Table) -> std::io::Result<()> {
    let mut filter = Filter::for_records(known.len());
    known.identities().for_each(|identity| filter.add(identity));
    let pages = known.len().div_ceil(PER_PAGE);
    let header =
        Header { segment, chain, records: known.len() as u64, pages: pages as u64, filter: filter.words.len() as u64 };
    out.seek(SeekFrom::Start(header.pages_at()))?;
    let mut fence = Vec::with_capacity(pages);
    let mut sorted = known.sorted().peekable();
    let mut records = Vec::with_capacity(PER_PAGE);
    while let Some(first) = sorted.peek() {
        fence.push((first.identity.0 >> 64) as u64);
        records.extend(sorted.by_ref().take(PER_PAGE));
        write_page(out, &records)?;
        records.clear();
    }
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&header.write())?;
    write_words(out, &fence)?;
    write_words(out, &filter.words)
}

fn write_page(out: &mut impl Write, records: &[Known]) -> std::io::Result<()> {
    let mut page = Vec::with_capacity(PAGE);
    page.put(&u16::try_from(records.len()).expect("a page holds 113 records").to_be_bytes());
    records.iter().for_each(|known| write_record(&mut page, known));
    page.resize(PAGE - SUM, 0);
    let sum = blake3::hash(&page);
    page.put(&sum.as_bytes()[..SUM]);
    out.write_all(&page)
}

fn write_record(out: &mut Vec<u8>, known: &Known) {
    let before = out.len();
    out.put(&known.identity.0.to_be_bytes());
    out.put(&known.short.to_be_bytes());
    out.put(&known.at.position.to_be_bytes());
    let index = known.at.index | if known.conflicting { CONFLICTING } else { 0 };
    out.put(&index.to_be_bytes());
    debug_assert_eq!(out.len() - before, RECORD);
}

fn read_record(cursor: &mut Cursor<'_>) -> Parsed<Known> {
    let identity = Identity(u128::from_be_bytes(cursor.array()?));
    let short = cursor.u64()?;
    let position = cursor.u64()?;
    let index = cursor.u32()?;
    let at = EntryRef { position, index: index & !CONFLICTING };
    Ok(Known { identity, conflicting: index & CONFLICTING != 0, at, short })
}

fn write_words(out: &mut impl Write, words: &[u64]) -> std::io::Result<()> {
    let mut hasher = blake3::Hasher::new();
    for chunk in words.chunks(8192) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|word| word.to_be_bytes()).collect();
        hasher.update(&bytes);
        out.write_all(&bytes)?;
    }
    out.write_all(&hasher.finalize().as_bytes()[..SUM])
}

fn read_words(file: &File, at: u64, count: u64) -> Result<Vec<u64>, Malformed> {
    let count = usize::try_from(count).map_err(|_| Malformed)?;
    let mut bytes = vec![0; count * 8 + SUM];
    file.read_exact_at(&mut bytes, at).map_err(|_| Malformed)?;
    let (content, sum) = bytes.split_at(count * 8);
    if sum != &blake3::hash(content).as_bytes()[..SUM] {
        return Err(Malformed);
    }
    let (words, _) = content.as_chunks::<8>();
    Ok(words.iter().map(|word| u64::from_be_bytes(*word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u64) -> Known {
        let hash = blake3::hash(&number.to_be_bytes());
        let identity = Identity(u128::from_be_bytes(*hash.as_bytes().first_chunk().unwrap()));
        Known { identity, conflicting: false, at: EntryRef { position: number, index: 3 }, short: number }
    }

    fn table(known: &[Known]) -> Table {
        let mut table = Table::new(0);
        known.iter().for_each(|known| table.remember(*known));
        table
    }

    /// In order over all shares, full pages but for the last: as if the whole table had been sorted.
    #[test]
    fn pages_are_full_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let all: Vec<Known> = (0..5000).map(known).collect();
        let run = Run::build(&dir.path().join("00000001"), 1, [7; 32], &table(&all)).unwrap();
        let pages: Vec<Vec<Known>> = (0..run.pages()).map(|page| run.page(page).unwrap()).collect();
        assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == PER_PAGE));
        let mut sorted = all;
        sorted.sort_unstable();
        assert_eq!(pages.concat(), sorted);
        let empty = Run::build(&dir.path().join("00000002"), 2, [7; 32], &table(&[])).unwrap();
        assert_eq!((empty.pages(), empty.lookup(Identity(7)).unwrap()), (0, Vec::new()));
    }

    #[test]
    fn every_identity_is_found_and_hardly_any_other_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let segment = dir.path().join("00000001");
        let mut all: Vec<Known> = (0..5000).map(known).collect();
        let body = Known { conflicting: true, at: EntryRef { position: 9000, index: 0 }, short: 1, ..known(42) };
        all.push(body);
        let run = Run::build(&segment, 1, [7; 32], &table(&all)).unwrap();
        for number in 0..5000 {
            let found = run.lookup(known(number).identity).unwrap();
            let expected = if number == 42 { vec![known(42), body] } else { vec![known(number)] };
            assert_eq!(found, expected);
        }
        let passed = (5000..105_000).filter(|number| run.filter.may_hold(known(*number).identity)).count();
        assert!(passed < 1500, "{passed} of 100,000 strangers pass the filter");
        assert!((5000..6000).all(|number| run.lookup(known(number).identity).unwrap().is_empty()));
        assert!(Run::open(&segment, 2, [7; 32]).is_err() && Run::open(&segment, 1, [8; 32]).is_err());
    }

    #[test]
    fn damage_is_noticed_when_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let segment = dir.path().join("00000001");
        Run::build(&segment, 1, [7; 32], &table(&(0..500).map(known).collect::<Vec<_>>())).unwrap();
        let path = Run::path_of(&segment);
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(61) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            std::fs::write(&path, &flipped).unwrap();
            let silent = Run::open(&segment, 1, [7; 32])
                .and_then(|run| (0..run.pages()).try_for_each(|page| run.page(page).map(|_| ())));
            assert!(silent.is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(Run::open(&segment, 1, [7; 32]).is_err(), "cut at {at}");
        }
    }
}
