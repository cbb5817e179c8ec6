//! This file is where the server and its peers do the same work in turns, beside signing alone.
//!
//! One round is a slice of each: signing alone, this server, each peer. So whatever slows the machine slows all.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use crate::arguments::Plan;
use crate::closed_loop;
use crate::connection::{Ask, fetch};
use crate::failure::Outcome;
use crate::gatepost::Installation;
use crate::peers::{Peer, Running};
use crate::processor::{Placement, resident};
use crate::raw::Raw;
use crate::statistics::{Latency, Quartiles};
use crate::subject::Subject;
use crate::tokens::{Key, Tokens, signed_length};

/// What one server did at one number of connections.
#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    pub server: &'static str,
    pub algorithm: Subject,
    pub connections: u16,
    /// Tokens a second, slice by slice.
    pub served: Vec<f64>,
    /// Signatures a second alone, slice by slice.
    pub raw: Vec<f64>,
    /// The median of served over raw.
    pub ratio: f64,
    pub latency_ms: Latency,
    /// Resident memory of all its processes at the end, in MB.
    pub resident_mb: f64,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

/// Where the peers come from and where they are installed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    pub sources: &'a Path,
    pub target: &'a Path,
}

struct Contestant {
    name: &'static str,
    address: SocketAddr,
    ask: Ask,
    keys: Ask,
    processes: Box<dyn Fn() -> Vec<u32>>,
}

/// The tokens and slices of one contestant.
struct Score {
    tokens: Tokens,
    served: Vec<f64>,
    latencies: Vec<f64>,
    void: Vec<String>,
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slices: Vec<String> = self.served.iter().map(|slice| format!("{slice:.0}")).collect();
        write!(
            out,
            "{:<20} {} {:>3} connections: {} /s, served over raw {:.3}, p50 {:.0} ms, p99 {:.0} ms, {:.0} MB",
            self.server,
            self.algorithm.name(),
            self.connections,
            slices.join(" "),
            self.ratio,
            self.latency_ms.p50,
            self.latency_ms.p99,
            self.resident_mb
        )?;
        self.void.iter().try_for_each(|why| write!(out, "\n  VOID: {why}"))
    }
}

/// Measures all of them with this key at each number of connections.
pub(crate) async fn measure(
    installation: &Installation,
    plan: &Plan,
    (subject, bits): (Subject, u16),
    connections: &[u16],
    places: Places<'_>,
) -> Outcome<Vec<Standing>> {
    let client = installation.client_of(subject)?;
    let server = installation.serve(Placement::Shared)?;
    let pid = server.pid();
    let mut contestants = vec![Contestant {
        name: "gatepost",
        address: server.address,
        ask: Ask::token_of(&client),
        keys: Ask::Get(format!("/.well-known/jwks/{}.json", client.api)),
        processes: Box::new(move || vec![pid]),
    }];
    for peer in Peer::ALL {
        contestants.push(Contestant::of(peer, peer.start(places.sources, places.target, bits)?));
    }
    let length = signed_length(&fetch(server.address, &contestants[0].ask).await?)?;
    let raw = Raw::new(subject, length, installation.folder(), plan.own_words)?;
    let mut standings = Vec::new();
    for &count in connections {
        standings.extend(rounds(&contestants, &raw, plan, (subject, count)).await?);
    }
    Ok(standings)
}

impl Contestant {
    fn of(peer: Peer, running: Running) -> Self {
        let (address, ask, keys) = (running.address, running.ask.clone(), running.keys.clone());
        // Who asks for its processes holds it, and so keeps it running.
        Self { name: peer.name(), address, ask, keys, processes: Box::new(move || running.processes()) }
    }
}

async fn rounds(
    contestants: &[Contestant],
    raw: &Raw,
    plan: &Plan,
    (subject, connections): (Subject, u16),
) -> Outcome<Vec<Standing>> {
    let mut scores = Vec::new();
    for contestant in contestants {
        closed_loop::run(contestant.address, &contestant.ask, connections, plan.warm_up).await?;
        let document = fetch(contestant.address, &contestant.keys).await?;
        let tokens = Tokens::new(Key::of_document(&document)?);
        scores.push(Score { tokens, served: Vec::new(), latencies: Vec::new(), void: Vec::new() });
    }
    let mut signed = Vec::new();
    for _ in 0..plan.slices {
        signed.push(raw.slice(Placement::Shared, plan.slice)?);
        for (contestant, score) in contestants.iter().zip(&mut scores) {
            score.slice(contestant, connections, plan).await?;
        }
    }
    let standing = |(contestant, score): (&Contestant, Score)| {
        score.standing(contestant, (subject, connections), &signed)
    };
    contestants.iter().zip(scores).map(standing).collect()
}

impl Score {
    async fn slice(&mut self, contestant: &Contestant, connections: u16, plan: &Plan) -> Outcome<()> {
        let slice = closed_loop::run(contestant.address, &contestant.ask, connections, plan.slice).await?;
        self.tokens.take(&slice)?;
        self.served.push(slice.rate());
        self.latencies.extend(&slice.latencies);
        self.void.extend(slice.faults());
        Ok(())
    }

    fn standing(
        mut self,
        contestant: &Contestant,
        (algorithm, connections): (Subject, u16),
        raw: &[f64],
    ) -> Outcome<Standing> {
        if self.tokens.distinct() != self.tokens.count {
            self.void.push("tokens share a jti".to_owned());
        }
        let mut resident_mb = 0.0;
        for pid in (contestant.processes)() {
            resident_mb += resident(pid)?.0;
        }
        let ratios: Vec<f64> = self.served.iter().zip(raw).map(|(served, raw)| served / raw).collect();
        Ok(Standing {
            server: contestant.name,
            algorithm,
            connections,
            raw: raw.to_vec(),
            ratio: Quartiles::of(&ratios).median,
            latency_ms: Latency::of(&self.latencies),
            served: self.served,
            resident_mb,
            void: self.void,
        })
    }
}
