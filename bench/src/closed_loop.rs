//! This file is where load is made: each connection asks again as soon as it was answered.
//!
//! One thread waits for all connections at once and does nothing but write, read and count. A client that is a library
//! of HTTP, or a task for each connection, would be busier than a server of a few lines, and its own limit would be
//! measured.

mod line;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::event::Event;
use mio::{Events, Interest, Poll, Token};

use crate::connection::Ask;
use crate::failure::{Failure, Outcome};
use crate::jti::Layout;
use crate::load::Load;
use crate::processor::OwnShare;
use crate::wire::{self, LONGEST};
pub(crate) use line::Asker;
use line::Line;

/// A server that answers nothing for so long after the window has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same request for ever.
pub(crate) fn always(request: &Bytes) -> Asker {
    let request = request.clone();
    Box::new(move |buffer| {
        if buffer.is_empty() {
            buffer.extend_from_slice(&request);
        }
        true
    })
}

/// What the generator does while there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// It sleeps, and leaves the processor to whom it asks.
    Sleep,
    /// It keeps looking, on a core of its own. A server that is asked by a sleeper wakes another core with each answer;
    /// on a virtual machine that can cost it more than the answer, and it costs none who keeps his generator busy.
    Watch,
}

/// Keeps this many connections busy with one question for the window.
pub(crate) async fn run(address: SocketAddr, ask: &Ask, connections: u16, window: Duration) -> Outcome<Load> {
    let request = wire::request(ask, address);
    let askers = (0..connections).map(|_| always(&request)).collect();
    run_all(address, askers, window, Meanwhile::Sleep).await
}

/// Asks over one connection for each asker until the window ends or nothing is left to ask; what is answered later is
/// waited for and not counted.
pub(crate) async fn run_all(
    address: SocketAddr,
    askers: Vec<Asker>,
    window: Duration,
    meanwhile: Meanwhile,
) -> Outcome<Load> {
    let running = tokio::task::spawn_blocking(move || Loop::open(address, askers)?.run(window, meanwhile));
    running.await.map_err(|why| Failure::new("the generator's thread", why))?
}

/// All connections, and the one thread that serves them.
struct Loop {
    poll: Poll,
    lines: Vec<Line>,
    /// Lines that still ask.
    busy: usize,
    load: Load,
    layout: Layout,
    began: Instant,
    ends: Instant,
    /// How long there was nothing to hear for one who watches.
    idle: Duration,
}

impl Loop {
    fn open(address: SocketAddr, askers: Vec<Asker>) -> Outcome<Self> {
        let poll = Poll::new().map_err(|why| Failure::new("epoll", why))?;
        let (now, mut lines) = (Instant::now(), Vec::new());
        for (number, asker) in askers.into_iter().enumerate() {
            let mut line = Line::open(address, asker, now)?;
            let registered = poll.registry().register(&mut line.stream, Token(number), Interest::READABLE);
            registered.map_err(|why| Failure::new("epoll", why))?;
            lines.push(line);
        }
        let (busy, load, layout) = (lines.len(), Load::default(), Layout::default());
        Ok(Self { poll, lines, busy, load, layout, began: now, ends: now, idle: Duration::ZERO })
    }

    fn run(mut self, window: Duration, meanwhile: Meanwhile) -> Outcome<Load> {
        let (mut events, mut buffer) = (Events::with_capacity(1024), vec![0; LONGEST]);
        let mut share = Some(OwnShare::start()?);
        self.begin(window)?;
        while self.busy > 0 {
            let now = Instant::now();
            if now > self.ends + PATIENCE {
                return Err(Failure::new("the server", "it does not answer any more"));
            }
            let wait = match meanwhile {
                Meanwhile::Watch => Duration::ZERO,
                Meanwhile::Sleep if now < self.ends => self.ends - now,
                Meanwhile::Sleep => PATIENCE,
            };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(why) if why.kind() != ErrorKind::Interrupted => return Err(Failure::new("epoll", why)),
                Ok(()) | Err(_) => {}
            }
            if meanwhile == Meanwhile::Watch && events.is_empty() {
                self.idle += now.elapsed();
            }
            events.iter().try_for_each(|event| self.hear(event, &mut buffer))?;
            if Instant::now() >= self.ends
                && let Some(share) = share.take()
            {
                self.weigh(&share)?;
            }
        }
        share.iter().try_for_each(|share| self.weigh(share))?;
        Ok(self.load)
    }

    fn begin(&mut self, window: Duration) -> Outcome<()> {
        self.began = Instant::now();
        self.ends = self.began + window;
        for line in &mut self.lines {
            if !line.ask(self.began)? {
                self.busy -= 1;
            }
        }
        Ok(())
    }

    fn weigh(&mut self, share: &OwnShare) -> Outcome<()> {
        let (processor_seconds, passed) = share.taken()?;
        // Looking in vain is no work.
        let busy = (processor_seconds - self.idle.as_secs_f64()).max(0.0);
        self.load.generator_cores = busy / passed.as_secs_f64();
        Ok(())
    }

    fn hear(&mut self, event: &Event, buffer: &mut [u8]) -> Outcome<()> {
        let Some(line) = self.lines.get_mut(event.token().0) else {
            return Ok(());
        };
        let Some((extent, last)) = line.read(buffer)? else {
            return Ok(());
        };
        let now = Instant::now();
        if now > self.ends {
            self.load.passed = self.ends - self.began;
            self.busy -= 1;
            return Ok(());
        }
        let last = buffer.get(..last).unwrap_or_default();
        let answer = if line.part.is_empty() { last } else { &line.part };
        self.load.note((extent.status, extent.body(answer)), now - line.asked, &mut self.layout);
        self.load.passed = now - self.began;
        line.part.clear();
        if !line.ask(now)? {
            self.busy -= 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// A server that reads requests of four bytes and answers each by one of these.
    fn server(answers: &'static [&'static str]) -> (SocketAddr, JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 4];
            for (number, answer) in answers.iter().enumerate() {
                if stream.read_exact(&mut request).is_err() {
                    return number;
                }
                stream.write_all(answer.as_bytes()).expect("it reads");
            }
            answers.len()
        });
        (address, serving)
    }

    fn so_often(mut times: u32) -> Asker {
        Box::new(move |request| {
            request.clear();
            request.extend_from_slice(b"ask!");
            times = times.wrapping_sub(1);
            times != u32::MAX
        })
    }

    #[tokio::test]
    async fn answers_are_counted_until_nothing_is_left_to_ask() {
        for meanwhile in [Meanwhile::Sleep, Meanwhile::Watch] {
            let (address, serving) = server(&[
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            ]);
            let window = Duration::from_secs(60);
            let load = run_all(address, vec![so_often(3)], window, meanwhile).await.expect("all answered");
            assert_eq!((load.good, load.latencies.len(), load.others.get(&503)), (2, 2, Some(&1)));
            assert_eq!(load.kept, ["hello"]);
            assert!(load.passed < window);
            assert_eq!(serving.join().expect("it served"), 3);
        }
    }

    #[tokio::test]
    async fn what_is_answered_after_the_window_is_waited_for_and_not_counted() {
        let (address, serving) = server(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
        let load =
            run_all(address, vec![so_often(2)], Duration::ZERO, Meanwhile::Sleep).await.expect("an answer");
        assert_eq!(load.good, 0);
        assert_eq!(serving.join().expect("it served"), 1);
    }

    #[tokio::test]
    async fn a_connection_that_breaks_and_an_answer_too_many_end_the_run() {
        let (address, _) = server(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut"]);
        assert!(
            run_all(address, vec![so_often(1)], Duration::from_secs(60), Meanwhile::Sleep).await.is_err()
        );
        let (address, _) = server(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nmore"]);
        assert!(
            run_all(address, vec![so_often(1)], Duration::from_secs(60), Meanwhile::Sleep).await.is_err()
        );
    }
}
