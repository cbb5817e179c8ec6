//! This file is where the server is set against bare hyper: the same requests, the same answers, the same core.
//!
//! Both have one core and the generator another; slices alternate, and the figure is the median of the pairs' ratios.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::answer::token;
use crate::arguments::Plan;
use crate::bare::Bare;
use crate::closed_loop::{self, Meanwhile, always};
use crate::connection::{Ask, fetch};
use crate::failure::{Failure, Outcome};
use crate::gatepost::{Installation, Server};
use crate::load::{FULL, Load, rates};
use crate::processor::{Placement, parted, seconds_of};
use crate::statistics::Quartiles;
use crate::subject::Subject;
use crate::tokens::{Key, Tokens};
use crate::wire;

/// Connections of the closed loop.
const CONNECTIONS: usize = 64;

/// One endpoint over bare hyper.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub what: String,
    pub connections: u16,
    /// Bare hyper's answers a second, slice by slice.
    pub bare: Vec<f64>,
    /// The server's.
    pub served: Vec<f64>,
    /// Of the pairs' ratios.
    pub ratio: Quartiles,
    /// Processor microseconds for an answer, of the server and of bare hyper: what the ratio becomes on a quiet machine.
    pub processor_us: (f64, f64),
    pub answers: u64,
    /// Different jti; of tokens alone.
    pub distinct: Option<usize>,
    pub verified: usize,
    /// The generator's use of its own core at most, asking the server and asking bare hyper.
    pub generator_core: (f64, f64),
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

/// For a reader.
impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.in_words())
    }
}

impl Row {
    fn in_words(&self) -> String {
        let over = self.ratio;
        let mut lines = vec![
            format!(
                "{}, {} connections, {}: over bare hyper {:.3}  (quartiles {:.3} to {:.3})",
                self.what,
                self.connections,
                Placement::Apart,
                over.median,
                over.lower,
                over.upper
            ),
            rates("bare hyper  /s", &self.bare),
            rates("served      /s", &self.served),
            format!(
                "  processor us an answer: served {:.1}, bare hyper {:.1}, so {:.3}",
                self.processor_us.0,
                self.processor_us.1,
                self.processor_us.1 / self.processor_us.0
            ),
            format!("  answers {}, verified {}", self.answers, self.verified),
            format!(
                "  generator's core {:.0} % busy with the server, {:.0} % with bare hyper",
                self.generator_core.0 * 100.0,
                self.generator_core.1 * 100.0
            ),
        ];
        lines.extend(self.distinct.map(|count| format!("  distinct jti {count}")));
        lines.extend(self.void.iter().map(|why| format!("  VOID: {why}")));
        lines.join("\n")
    }
}

/// A slice of load and the processor seconds that it took.
struct Slice {
    load: Load,
    seconds: f64,
}

/// Two servers that take turns, and what they are asked.
struct Pair {
    what: String,
    server: Server,
    bare: Bare,
    requests: Vec<Bytes>,
}

/// Tokens of that kind.
pub(crate) async fn tokens(installation: &Installation, plan: &Plan, subject: Subject) -> Outcome<Row> {
    let client = installation.client_for(subject, "hyper")?;
    let server = installation.serve(Placement::Apart)?;
    let keys = Ask::Get(format!("/.well-known/jwks/{}.json", client.api));
    let key = Key::of_document(&fetch(server.address, &keys).await?)?;
    let request = wire::request(&Ask::token_of(&client), server.address);
    let requests = vec![request; CONNECTIONS];
    let pair = Pair::of(format!("{} tokens", subject.name()), server, requests, installation).await?;

    let (mut row, loads) = pair.measure(plan).await?;
    let mut tokens = Tokens::new(key);
    loads.iter().try_for_each(|load| tokens.take(load))?;
    let (distinct, answers) = (tokens.distinct(), row.answers);
    if u64::try_from(distinct) != Ok(answers) {
        row.void.push(format!("{distinct} of {answers} tokens have a jti of their own"));
    }
    Ok(Row { distinct: Some(distinct), verified: tokens.verified, ..row })
}

/// Questions of a proxy, each connection with a token of its own that was seen before.
pub(crate) async fn forward_auth(installation: &Installation, plan: &Plan) -> Outcome<Row> {
    let client = installation.client_for(Subject::Rsa4096, "forward")?;
    let server = installation.serve(Placement::Apart)?;
    let mut requests = Vec::new();
    for _ in 0..CONNECTIONS {
        let body = fetch(server.address, &Ask::token_of(&client)).await?;
        requests.push(question(server.address, &client.api, token(&body)?));
    }
    let pair = Pair::of("forward-auth".to_owned(), server, requests, installation).await?;
    Ok(pair.measure(plan).await?.0)
}

/// As nginx asks.
fn question(address: SocketAddr, api: &str, token: &str) -> Bytes {
    Bytes::from(format!(
        "GET /forward-auth?api={api} HTTP/1.1\r\nhost: {address}\r\nx-original-method: GET\r\n\
         x-original-uri: /bookings/7?page=2\r\nauthorization: Bearer {token}\r\n\r\n"
    ))
}

impl Pair {
    /// Asks the server once, and starts a bare one that answers the same.
    async fn of(
        what: String,
        server: Server,
        requests: Vec<Bytes>,
        installation: &Installation,
    ) -> Outcome<Self> {
        parted().map_err(|why| Failure::new(&what, why))?;
        let first = requests.first().cloned().unwrap_or_default();
        let answer = wire::ask_once(server.address, &first)?;
        if answer.extent.status != 200 {
            let said = String::from_utf8_lossy(answer.body());
            return Err(Failure::new(&what, format!("{} {said}", answer.extent.status)));
        }
        let bare = Bare::start(Placement::Apart, &answer, installation.folder())?;
        Ok(Self { what, server, bare, requests })
    }

    async fn measure(mut self, plan: &Plan) -> Outcome<(Row, Vec<Load>)> {
        Placement::Apart.take_generators_cores()?;
        let slices = self.slices(plan).await;
        Placement::Shared.take_generators_cores()?;
        let (bare, served) = slices?;
        let row = self.row(&bare, &served);
        Ok((row, served.into_iter().map(|slice| slice.load).collect()))
    }

    async fn slices(&mut self, plan: &Plan) -> Outcome<(Vec<Slice>, Vec<Slice>)> {
        let (mut bare, mut served) = (Vec::new(), Vec::new());
        let beside = (self.bare.pid(), self.bare.address);
        let own = (self.server.pid(), self.server.address);
        self.slice(beside, plan.warm_up).await?;
        self.slice(own, plan.warm_up).await?;
        for _ in 0..plan.slices {
            bare.push(self.slice(beside, plan.slice).await?);
            served.push(self.slice(own, plan.slice).await?);
            if let Some(status) = self.server.ended() {
                return Err(Failure::new("the server ended under load", status));
            }
        }
        Ok((bare, served))
    }

    async fn slice(&self, (pid, address): (u32, SocketAddr), window: Duration) -> Outcome<Slice> {
        let before = seconds_of(pid)?;
        let askers = self.requests.iter().map(always).collect();
        let load = closed_loop::run_all(address, askers, window, Meanwhile::Watch).await?;
        Ok(Slice { load, seconds: seconds_of(pid)? - before })
    }

    fn row(&self, bare: &[Slice], served: &[Slice]) -> Row {
        let of_each = |slices: &[Slice]| slices.iter().map(|slice| slice.load.rate()).collect::<Vec<f64>>();
        let busiest =
            |slices: &[Slice]| slices.iter().map(|slice| slice.load.generator_cores).fold(0.0, f64::max);
        let ratios: Vec<f64> =
            served.iter().zip(bare).map(|(served, bare)| served.load.rate() / bare.load.rate()).collect();
        let mut void: Vec<String> = served.iter().chain(bare).flat_map(|slice| slice.load.faults()).collect();
        // A generator at its limit makes bare hyper slower than it is, and the ratio better.
        if busiest(bare) > FULL {
            void.push(format!(
                "the generator's core was {:.0} % busy with bare hyper",
                busiest(bare) * 100.0
            ));
        }
        Row {
            what: self.what.clone(),
            connections: u16::try_from(self.requests.len()).unwrap_or(u16::MAX),
            bare: of_each(bare),
            served: of_each(served),
            ratio: Quartiles::of(&ratios),
            answers: served.iter().map(|slice| slice.load.good).sum(),
            processor_us: (us_an_answer(served), us_an_answer(bare)),
            distinct: None,
            verified: 0,
            generator_core: (busiest(served), busiest(bare)),
            void,
        }
    }
}

fn us_an_answer(slices: &[Slice]) -> f64 {
    let (seconds, answers) = slices
        .iter()
        .fold((0.0, 0), |(seconds, answers), slice| (seconds + slice.seconds, answers + slice.load.good));
    seconds * 1e6 / answers as f64
}
