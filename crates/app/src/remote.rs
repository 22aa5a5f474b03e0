//! Commands over the socket of a running `pec run`: whoever asks does not notice the difference.
//!
//! One request (a line of JSON), then frames: a tag, a length, bytes. The server runs the same
//! function that the command line runs, only its output leads here. The socket is a file of mode
//! 0600 inside the data directory, so whoever may write the journal may ask, and nobody else.

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::exit::Problem;
use crate::output::{Output, Style};

/// Both sides must speak the same one; it changes with the request or the frames.
pub const PROTOCOL: u32 = 1;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub protocol: u32,
    /// The command line, without the program's name.
    pub arguments: Vec<String>,
    /// Where relative paths start.
    pub directory: PathBuf,
    /// Who asks: stands in every decision.
    pub actor: String,
    pub style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Tag {
    Out = 1,
    Err = 2,
    Exit = 3,
}

/// A request longer than this is no command line.
const REQUEST_BYTES_MAX: u64 = 1 << 20;
/// Output is sent in pieces of at most this size.
const FRAME_BYTES_MAX: usize = 64 << 10;

/// Sockets have short names (108 bytes); a deep data directory is reached through its open handle.
fn short_name(path: &Path) -> io::Result<(PathBuf, Option<std::fs::File>)> {
    const NAME_BYTES_MAX: usize = 100;
    if path.as_os_str().len() <= NAME_BYTES_MAX {
        return Ok((path.to_owned(), None));
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok((path.to_owned(), None));
    };
    let handle = std::fs::File::open(parent)?;
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&handle);
    Ok((PathBuf::from(format!("/proc/self/fd/{descriptor}")).join(name), Some(handle)))
}

/// Connects to whoever serves this directory. `None`: nobody does.
pub fn connect(socket: &Path) -> Result<Option<UnixStream>, Problem> {
    let (name, _handle) = match short_name(socket) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Problem::fault(format!("cannot look for {}: {error}", socket.display()))),
    };
    match UnixStream::connect(name) {
        Ok(stream) => Ok(Some(stream)),
        // No file, or one that a killed server left behind: the journal's own lock decides.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(Problem::fault(format!("cannot reach the running server at {}: {error}", socket.display()))
            .hint("run the command as the user that runs `pec run`")),
    }
}

/// Binds the socket for its owner alone, over whatever a killed server left behind. Only to be
/// called by whoever holds the journal: that lock proves that nobody else serves the directory.
pub fn bind(socket: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (name, _handle) = short_name(socket)?;
    let listener = std::os::unix::net::UnixListener::bind(name)?;
    std::fs::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// Sends a request and copies the answer to `out`. Returns the exit code.
pub fn ask(stream: UnixStream, request: &Request, out: &mut Output) -> anyhow::Result<u8> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    (&stream).write_all(&line)?;
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    loop {
        let (tag, length) = read_head(&mut reader).map_err(|error| {
            Problem::fault(format!("the running server went away before it had answered: {error}"))
                .hint("look at its log; commands that write can be run again without harm")
        })?;
        bytes.resize(length, 0);
        reader.read_exact(&mut bytes)?;
        match tag {
            Tag::Out => out.bytes(&bytes)?,
            Tag::Err => {
                out.flush()?;
                out.note_bytes(&bytes)?;
            }
            Tag::Exit => {
                out.flush()?;
                return Ok(bytes.first().copied().unwrap_or(3));
            }
        }
    }
}

fn read_head(reader: &mut impl Read) -> io::Result<(Tag, usize)> {
    let mut head = [0_u8; 5];
    reader.read_exact(&mut head)?;
    let [tag, a, b, c, d] = head;
    let tag = match tag {
        1 => Tag::Out,
        2 => Tag::Err,
        3 => Tag::Exit,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "not a frame of this protocol")),
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("32 bits fit a usize here");
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "frame too long"));
    }
    Ok((tag, length))
}

/// Serves one connection: reads the request, lets `run` answer it, sends the exit code.
pub fn answer(stream: &UnixStream, run: impl FnOnce(&Request, &mut Output) -> u8) -> anyhow::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?).take(REQUEST_BYTES_MAX);
    let mut line = Vec::new();
    io::BufRead::read_until(&mut reader, b'\n', &mut line)?;
    let sender = Arc::new(Mutex::new(stream.try_clone()?));
    let channel = |tag| io::BufWriter::with_capacity(8 << 10, Channel { tag, sender: Arc::clone(&sender) });
    let code = match serde_json::from_slice::<Request>(&line) {
        Ok(request) if request.protocol == PROTOCOL => {
            // Progress and warnings must not wait for a full buffer: only the answer is buffered.
            let err = Channel { tag: Tag::Err, sender: Arc::clone(&sender) };
            let mut out = Output::new(Box::new(channel(Tag::Out)), Box::new(err), request.style);
            let code = run(&request, &mut out);
            out.flush()?;
            code
        }
        Ok(request) => {
            let text = format!(
                "error: the running server speaks protocol {PROTOCOL}, this client {}\n hint: use the pec of the \
                 server, or restart the server with this one\n",
                request.protocol
            );
            Channel { tag: Tag::Err, sender: Arc::clone(&sender) }.write_all(text.as_bytes())?;
            2
        }
        Err(error) => {
            let text = format!("error: the server could not read the request: {error}\n");
            Channel { tag: Tag::Err, sender: Arc::clone(&sender) }.write_all(text.as_bytes())?;
            2
        }
    };
    Channel { tag: Tag::Exit, sender }.write_all(&[code])?;
    Ok(())
}

/// One channel of the answer: everything written becomes frames.
struct Channel {
    tag: Tag,
    sender: Arc<Mutex<UnixStream>>,
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes.get(..bytes.len().min(FRAME_BYTES_MAX)).unwrap_or(bytes);
        let length = u32::try_from(piece.len()).expect("a frame is short");
        let mut frame = Vec::with_capacity(piece.len() + 5);
        frame.push(self.tag as u8);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(piece);
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).write_all(&frame)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn request() -> Request {
        Request {
            protocol: PROTOCOL,
            arguments: vec!["status".to_owned()],
            directory: PathBuf::from("/"),
            actor: "ann".to_owned(),
            style: Style::PLAIN,
        }
    }

    fn exchange(request: &Request) -> (String, String, u8) {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("pec.sock");
        let listener = bind(&socket).unwrap();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            answer(&stream, |request, out| {
                out.line(format!("asked {}", request.arguments.join(" "))).unwrap();
                out.line("x".repeat(FRAME_BYTES_MAX * 2)).unwrap();
                out.note("noted").unwrap();
                7
            })
            .unwrap();
        });
        let (told, noted) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let mut out = Output::new(Box::new(Kept(told.clone())), Box::new(Kept(noted.clone())), Style::PLAIN);
        let code = ask(connect(&socket).unwrap().unwrap(), request, &mut out).unwrap();
        server.join().unwrap();
        let text = |kept: Arc<Mutex<Vec<u8>>>| String::from_utf8(kept.lock().unwrap().clone()).unwrap();
        (text(told), text(noted), code)
    }

    #[test]
    fn output_errors_and_exit_code_arrive_whole() {
        let (told, noted, code) = exchange(&request());
        assert!(told.starts_with("asked status\nxxx"));
        assert_eq!(told.len(), "asked status\n".len() + FRAME_BYTES_MAX * 2 + 1);
        assert_eq!(noted, "noted\n");
        assert_eq!(code, 7);
    }

    #[test]
    fn a_client_of_another_protocol_is_told_so() {
        let (told, noted, code) = exchange(&Request { protocol: PROTOCOL + 1, ..request() });
        assert_eq!((told.as_str(), code), ("", 2));
        assert!(noted.contains("speaks protocol"), "{noted}");
    }

    /// A killed server leaves its socket behind: nobody answers there, and the next one binds over it.
    #[test]
    fn a_socket_left_behind_is_no_server() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("pec.sock");
        assert!(connect(&socket).unwrap().is_none());
        drop(bind(&socket).unwrap());
        assert!(socket.exists());
        assert!(connect(&socket).unwrap().is_none());
        let _listener = bind(&socket).unwrap();
        assert!(connect(&socket).unwrap().is_some());
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&socket).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_deep_directory_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let socket = deep.join("pec.sock");
        let _listener = bind(&socket).unwrap();
        assert!(connect(&socket).unwrap().is_some());
    }
}
