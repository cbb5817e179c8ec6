//! This file is where tokens are made from a seed: good ones, changed and signed again, changed and left so.

use gatepost_jose::sign::SigningInput;
use gatepost_jose::{Algorithm, SigningKey, base64url, sign};

use super::changes::{self, Change, Half, How};
use super::{AUDIENCE, FAR_AHEAD, ISSUER, LONG_AGO};
use crate::keyring::fresh;

const GOOD: usize = 400;
const FLIPS: usize = 400;
const EACH: usize = 4;
/// The order of P-256 (SEC 2 section 2.4.2).
const P256_ORDER: [u64; 4] =
    [0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xbce6_faad_a717_9e84, 0xf3b9_cac2_fc63_2551];

/// Member names with their values as JSON texts, in the order written.
type Members = Vec<(String, String)>;

/// Where a token goes: its kind and itself.
type Sink<'a> = &'a mut dyn FnMut(&str, &str);

/// The generator (SplitMix64) and the key that signs.
pub(crate) struct Tokens {
    key: &'static SigningKey,
    stranger: SigningKey,
    state: u64,
}

impl Tokens {
    pub(crate) fn new(key: &'static SigningKey, seed: u64) -> Self {
        Self { key, stranger: fresh(key.algorithm()), state: seed }
    }

    /// Gives every token with its kind.
    pub(crate) fn each(&mut self, sink: Sink) {
        for _ in 0..GOOD {
            sink("good", &self.good());
        }
        for change in changes::all() {
            let kind = change.kind();
            for _ in 0..EACH {
                sink(&kind, &self.changed(&change));
            }
        }
        for _ in 0..EACH {
            self.documents(sink);
            self.spellings(sink);
            self.signatures(sink);
            self.texts(sink);
        }
        for _ in 0..FLIPS {
            self.flips(sink);
        }
    }

    /// A good token but for one claim.
    pub(crate) fn with_claim(&mut self, member: &'static str, json: &str) -> String {
        self.changed(&Change { half: Half::Claims, member, how: How::Set, json: json.to_owned() })
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn word(&mut self) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.:/~";
        let length = 1 + self.below(30);
        (0..length).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }

    fn header(&self) -> Members {
        let text = |text: &str| format!("\"{text}\"");
        [("typ", "at+jwt"), ("alg", self.key.algorithm().as_str()), ("kid", self.key.kid().as_str())]
            .map(|(name, value)| (name.to_owned(), text(value)))
            .to_vec()
    }

    fn claims(&mut self) -> Members {
        let scopes: Vec<String> = (0..self.below(4)).map(|_| self.word()).collect();
        let audience = match self.below(3) {
            0 => format!("[\"{AUDIENCE}\"]"),
            1 => format!("[\"{}\",\"{AUDIENCE}\"]", self.word()),
            _ => format!("\"{AUDIENCE}\""),
        };
        let issued = LONG_AGO + i64::try_from(self.below(86_400 * 365)).unwrap();
        let expires = FAR_AHEAD - i64::try_from(self.below(86_400 * 365)).unwrap();
        let mut claims: Members = [
            ("iss", format!("\"{ISSUER}\"")),
            ("aud", audience),
            ("sub", format!("\"{}\"", self.word())),
            ("client_id", format!("\"{}\"", self.word())),
            ("scope", format!("\"{}\"", scopes.join(" "))),
            ("jti", format!("\"{}\"", self.word())),
            ("exp", expires.to_string()),
            ("nbf", issued.to_string()),
            ("iat", issued.to_string()),
            ("more", format!(r#"{{"é":["{}",null,{}]}}"#, self.word(), self.below(1000))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        let turn = self.below(claims.len());
        claims.rotate_left(turn);
        claims
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        sign::compact(self.key, header, claims).unwrap()
    }

    fn good(&mut self) -> String {
        let space = if self.below(2) == 0 { "" } else { " \n" };
        let claims = object(&self.claims(), space);
        self.sign(&object(&self.header(), space), &claims)
    }

    fn changed(&mut self, change: &Change) -> String {
        let (mut header, mut claims) = (self.header(), self.claims());
        match change.half {
            Half::Header => apply(&mut header, change),
            Half::Claims => apply(&mut claims, change),
        }
        self.sign(&object(&header, ""), &object(&claims, ""))
    }

    /// Whole documents that are not what they should be, signed.
    fn documents(&mut self, sink: Sink) {
        let (header, claims) = (object(&self.header(), ""), object(&self.claims(), ""));
        for (kind, change) in [
            ("an array", (|json| format!("[{json}]")) as fn(&str) -> String),
            ("a text", |json| format!("{json:?}")),
            ("empty", |_| "{}".to_owned()),
            ("null", |_| "null".to_owned()),
            ("cut off", |json| json[..json.len() - 1].to_owned()),
            ("followed by more", |json| format!("{json}{{}}")),
            ("after a byte order mark", |json| format!("\u{feff}{json}")),
            ("with a comma too many", |json| format!("{},}}", &json[..json.len() - 1])),
            ("with a comment", |json| format!("/**/{json}")),
            ("between white space", |json| format!(" \t\r\n{json} \n")),
        ] {
            sink(&format!("header: {kind}"), &self.sign(&change(&header), &claims));
            sink(&format!("claims: {kind}"), &self.sign(&header, &change(&claims)));
        }
        let mut bytes = claims.into_bytes();
        bytes.splice(1..1, *b"\"y\":\"\xff\",");
        let input = SigningInput::new(&header).with_claims(&bytes);
        let signature = self.key.sign(input.as_bytes()).unwrap();
        sink("claims: bytes that are no UTF-8", &sign::finish(input, &signature));
    }

    /// Other spellings of the same bytes, signed as they are spelled.
    fn spellings(&mut self, sink: Sink) {
        let token = self.good();
        let [header, claims, signature] = parts(&token);
        let spelled = |header: &str, claims: &str| {
            let input = format!("{header}.{claims}");
            let signature = self.key.sign(input.as_bytes()).unwrap();
            sign::finish(input, &signature)
        };
        sink("spelling: header padded", &spelled(&format!("{header}="), claims));
        sink("spelling: claims padded", &spelled(header, &format!("{claims}=")));
        sink("spelling: header with a line break", &spelled(&format!("{header}\n"), claims));
        sink("spelling: claims with a blank", &spelled(header, &format!(" {claims}")));
        for (kind, end) in
            [("one =", "="), ("two =", "=="), ("a blank", " "), ("a letter", "A"), ("a dot", ".")]
        {
            sink(&format!("spelling: {kind} after the signature"), &format!("{token}{end}"));
        }
        let ordinary = signature.replace('-', "+").replace('_', "/");
        if ordinary != signature {
            sink("spelling: signature in ordinary base64", &format!("{header}.{claims}.{ordinary}"));
        }
        // 64 and 256 bytes leave four unused bits in the last letter.
        let last = char::from(next_letter(signature.as_bytes()[signature.len() - 1]));
        let loose = &signature[..signature.len() - 1];
        sink("spelling: unused bits set", &format!("{header}.{claims}.{loose}{last}"));
    }

    fn signatures(&mut self, sink: Sink) {
        let (token, other) = (self.good(), self.good());
        let [header, claims, signature] = parts(&token);
        let [_, other_claims, other_signature] = parts(&other);
        let signed = format!("{header}.{claims}");
        let bytes = base64url::decode(signature).unwrap();
        let with = |bytes: &[u8]| sign::finish(signed.clone(), bytes);
        sink("signature: of another token", &format!("{signed}.{other_signature}"));
        sink("signature: with another token's claims", &format!("{header}.{other_claims}.{signature}"));
        sink("signature: of another key", &with(&self.stranger.sign(signed.as_bytes()).unwrap()));
        sink("signature: of the claims alone", &with(&self.key.sign(claims.as_bytes()).unwrap()));
        sink("signature: a byte short", &with(&bytes[..bytes.len() - 1]));
        sink("signature: a zero byte more", &with(&[&bytes[..], &[0]].concat()));
        sink("signature: a zero byte before", &with(&[&[0], &bytes[..]].concat()));
        sink("signature: all zero", &with(&vec![0; bytes.len()]));
        sink("signature: all ones", &with(&vec![0xff; bytes.len()]));
        sink(
            "signature: halves swapped",
            &with(&[&bytes[bytes.len() / 2..], &bytes[..bytes.len() / 2]].concat()),
        );
        let next =
            Algorithm::ALL.iter().cycle().skip_while(|alg| **alg != self.key.algorithm()).nth(1).unwrap();
        let unchanged = object(&self.claims(), "");
        let mut claimed = self.header();
        claimed[1].1 = format!("\"{next}\"");
        sink("signature: under another algorithm's name", &self.sign(&object(&claimed, ""), &unchanged));
        if self.key.algorithm() == Algorithm::EdDsa {
            claimed[1].1 = "\"Ed25519\"".to_owned();
            sink("signature: EdDSA as Ed25519", &self.sign(&object(&claimed, ""), &unchanged));
        }
        if self.key.algorithm() == Algorithm::Es256 {
            // Both spellings of s verify (RFC 7518 section 3.4 names no canonical one).
            sink(
                "signature: ES256 with the other s",
                &with(&[&bytes[..32], &negated(&bytes[32..])].concat()),
            );
        }
    }

    fn texts(&mut self, sink: Sink) {
        let token = self.good();
        let [header, claims, signature] = parts(&token);
        for (kind, text) in [
            ("nothing", String::new()),
            ("two dots", "..".to_owned()),
            ("no signature", format!("{header}.{claims}")),
            ("an empty signature", format!("{header}.{claims}.")),
            ("an empty header", format!(".{claims}.{signature}")),
            ("empty claims", format!("{header}..{signature}")),
            ("four parts", format!("{header}.{claims}.{claims}.{signature}")),
            ("five parts", format!("{token}.AA.AA")),
            ("parts turned round", format!("{claims}.{header}.{signature}")),
            ("after Bearer", format!("Bearer {token}")),
            ("after a blank", format!(" {token}")),
            ("before a line break", format!("{token}\n")),
            ("before a zero byte", format!("{token}\0")),
            ("other dots", token.replace('.', "\u{ff0e}")),
            ("cut off", token[..self.below(token.len())].to_owned()),
        ] {
            sink(&format!("text: {kind}"), &text);
        }
    }

    fn flips(&mut self, sink: Sink) {
        let token = self.good_once();
        let [header, claims, signature] = parts(&token).map(str::to_owned);
        let flipped = |part: &str, bit: usize| {
            let mut bytes = part.as_bytes().to_vec();
            // The eighth bit would make it no text.
            bytes[bit / 7] ^= 1 << (bit % 7);
            String::from_utf8(bytes).unwrap()
        };
        let bits = [&header, &claims, &signature].map(|part| self.below(part.len() * 7));
        sink("flip: header", &format!("{}.{claims}.{signature}", flipped(&header, bits[0])));
        sink("flip: claims", &format!("{header}.{}.{signature}", flipped(&claims, bits[1])));
        sink("flip: signature", &format!("{header}.{claims}.{}", flipped(&signature, bits[2])));
        let mut bytes = base64url::decode(&signature).unwrap();
        let bit = self.below(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        sink("flip: decoded signature", &sign::finish(format!("{header}.{claims}"), &bytes));
    }

    /// A good token without white space, so that every flip is within a letter of the usual form.
    fn good_once(&mut self) -> String {
        let claims = object(&self.claims(), "");
        self.sign(&object(&self.header(), ""), &claims)
    }
}

fn object(members: &Members, space: &str) -> String {
    let written: Vec<String> =
        members.iter().map(|(name, value)| format!("{space}\"{name}\":{space}{value}")).collect();
    format!("{{{}{space}}}", written.join(","))
}

fn apply(members: &mut Members, change: &Change) {
    let place = members.iter().position(|(name, _)| name == change.member);
    match (change.how, place) {
        (How::Set, Some(place)) => members[place].1.clone_from(&change.json),
        (How::Set, None) => members.push((change.member.to_owned(), change.json.clone())),
        (How::Removed, place) => drop(members.remove(place.unwrap())),
        (How::Again, place) => {
            if place.is_none() && change.member == "x" {
                members.push((change.member.to_owned(), "0".to_owned()));
            }
            members.push((change.member.to_owned(), change.json.clone()));
        }
    }
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// The letter whose value is one more, in the alphabet of base64url; the last four bits stay unused.
fn next_letter(letter: u8) -> u8 {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
    ALPHABET[value + 1]
}

/// The order of P-256 less `s`.
fn negated(s: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let mut limbs: Vec<u64> = Vec::new();
    for (order, limb) in P256_ORDER.iter().zip(s.chunks(8)).rev() {
        let limb = u64::from_be_bytes(limb.try_into().unwrap());
        let (less, under) = order.overflowing_sub(limb);
        let (less, again) = less.overflowing_sub(u64::from(borrow));
        borrow = under || again;
        limbs.push(less);
    }
    limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}
