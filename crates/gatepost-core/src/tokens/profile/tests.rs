//! This file is where token shapes are held against the origin page and RFC 9068, byte for byte.

use std::sync::Arc;

use gatepost_jose::Algorithm;
use gatepost_jose::key_in_jti::JTI_BYTES;
use uuid::Uuid;

use super::*;
use crate::apis::{Api, ApiId, ApiWithScopes, Audience};
use crate::clients::{Client, ClientId, ClientRecord, UngrantedScope, UserId};
use crate::grants::GrantType;
use crate::keys::rotation::Turns;
use crate::limits::ClientLimits;
use crate::name::{Name, Slug};
use crate::partners::{PartnerId, Status};
use crate::scope::Scopes;
use crate::time::Lifetime;

fn grant(client_id: &str, scopes: &str, profile: Profile) -> Grant {
    let id = |text: &str| Uuid::parse_str(text).unwrap();
    let client = Client {
        id: ClientId::parse(client_id).unwrap(),
        partner_id: PartnerId(id("f31120ee-b5cb-41c4-9529-288d02e91cd6")),
        user_id: UserId(id("842902db-54e5-4614-b348-002e8ce5da12")),
        name: Name::parse("n").unwrap(),
        is_test: false,
        apis: vec![],
        scopes: Scopes::NONE,
        default_scopes: None,
        ungranted_scope: UngrantedScope::Refused,
        lifetime: Lifetime::HOUR,
        allow: vec![],
        auth_method: None,
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: None,
        created: Timestamp::from_micros(0),
        version: 1,
    };
    let api = Api {
        id: ApiId(Uuid::nil()),
        name: Slug::parse("bookings").unwrap(),
        audience: Audience::parse("https://api.example/v1").unwrap(),
        profile,
        algorithm: Algorithm::Rs256,
        turns: Turns::ByDefault,
        created: Timestamp::from_micros(0),
        version: 1,
    };
    Grant {
        client: Arc::new(ClientRecord {
            client,
            partner_status: Status::Active,
            partner_expires: None,
            secrets: vec![],
            keys: vec![],
            limits: ClientLimits::default(),
        }),
        api: Arc::new(ApiWithScopes { api, scopes: vec![] }),
        scopes: Scopes::parse(scopes).unwrap(),
        scopes_differ: false,
        lifetime: Lifetime::HOUR,
    }
}

fn claims(profile: &Profile, scopes: &str, minting: &Minting) -> TokenClaims {
    let issuer = Issuer::parse("https://auth.example").unwrap();
    let grant = grant("9b1e82a7-0a59-4e7e-add5-b9ffa37aade1", scopes, profile.clone());
    profile.claims(&grant, &issuer, minting)
}

fn minting(started: i64, now: i64, random: [u8; JTI_BYTES]) -> Minting {
    Minting { started: Timestamp::from_micros(started), now: Timestamp::from_micros(now), random }
}

/// The random bytes that the origin page's sample token was made of.
fn random_of_the_page() -> [u8; JTI_BYTES] {
    let jti = "81755a6a7daf0382f0f2723a2cc951f830f533afb46b75d9b9a4cea7d215ee9926a93259567cbf78";
    let byte = |at: usize| u8::from_str_radix(&jti[at * 2..at * 2 + 2], 16).unwrap();
    std::array::from_fn(byte)
}

#[test]
fn t02_the_claims_of_the_origin_page_come_out_byte_for_byte() {
    let passport = Profile::Passport(PassportOptions::default());
    let minting = minting(1_710_220_031_577_478, 1_710_220_031_583_112, random_of_the_page());

    let claims = claims(&passport, "bookings:create bookings:delete", &minting);

    assert_eq!(
        claims.json,
        concat!(
            r#"{"aud":"9b1e82a7-0a59-4e7e-add5-b9ffa37aade1","#,
            r#""jti":"81755a6a7daf0382f0f2723a2cc951f830f533afb46b75d9b9a4cea7d215ee9926a93259567cbf78","#,
            r#""iat":1710220031.583112,"nbf":1710220031.583114,"exp":1710223631.577478,"sub":"","#,
            r#""scopes":["bookings:create","bookings:delete"],"user_id":"842902db-54e5-4614-b348-002e8ce5da12","#,
            r#""partner_id":"f31120ee-b5cb-41c4-9529-288d02e91cd6","is_test":false}"#
        )
    );
}

#[test]
fn t05_trailing_zeros_of_a_date_are_dropped() {
    let passport = || Profile::Passport(PassportOptions::default());
    let dates = |now: i64| claims(&passport(), "", &minting(now, now, [0; 40])).json;

    assert!(dates(1_795_384_252_001_740).contains(r#""iat":1795384252.00174,"#));
    assert!(dates(1_795_384_252_277_000).contains(r#""iat":1795384252.277,"nbf":1795384252.277002,"#));
    assert!(dates(1_795_384_252_000_000).contains(r#""exp":1795387852,"#));
    assert!(dates(1_795_384_252_000_000).contains(r#""scopes":[],"#));
}

#[test]
fn t13_whole_seconds_are_rounded_down_and_the_jti_begins_with_the_milliseconds() {
    let seconds =
        Profile::Passport(PassportOptions { timestamps: Timestamps::Seconds, ..PassportOptions::default() });

    let claims = claims(&seconds, "", &minting(1_710_220_031_999_999, 1_710_220_031_999_999, [0xab; 40]));

    assert!(
        claims.json.contains(r#""iat":1710220031,"nbf":1710220031,"exp":1710223631,"#),
        "{}",
        claims.json
    );
    assert_eq!(&claims.jti[..12], format!("{:012x}", 1_710_220_031_999_u64));
    assert_eq!(claims.jti.len(), 80);
}

#[test]
fn headers_name_the_key_where_the_profile_says_so() {
    let kid = serde_json::from_str::<KeyId>(r#""kid-1""#).unwrap();
    let with_kid = Profile::Passport(PassportOptions { kid: true, ..PassportOptions::default() });

    let plain = Profile::Passport(PassportOptions::default()).header(Algorithm::Rs256, &kid);
    assert_eq!(plain, r#"{"typ":"JWT","alg":"RS256"}"#);
    assert_eq!(with_kid.header(Algorithm::Rs256, &kid), r#"{"typ":"JWT","alg":"RS256","kid":"kid-1"}"#);
    assert_eq!(
        Profile::Rfc9068.header(Algorithm::Es256, &kid),
        r#"{"typ":"at+jwt","alg":"ES256","kid":"kid-1"}"#
    );
}

#[test]
fn rfc9068_claims_are_whole_and_their_jti_begins_with_the_milliseconds() {
    let claims =
        claims(&Profile::Rfc9068, "a b", &minting(1_710_220_031_577_478, 1_710_220_031_583_112, [0; 40]));

    assert_eq!(
        claims.json,
        concat!(
            r#"{"iss":"https://auth.example","aud":"https://api.example/v1","#,
            r#""sub":"9b1e82a7-0a59-4e7e-add5-b9ffa37aade1","client_id":"9b1e82a7-0a59-4e7e-add5-b9ffa37aade1","#,
            r#""scope":"a b","jti":"018e310e-b65f-7000-8000-000000000000","iat":1710220031,"exp":1710223631,"#,
            r#""partner_id":"f31120ee-b5cb-41c4-9529-288d02e91cd6","is_test":false}"#
        )
    );
}

#[test]
fn without_scopes_an_rfc9068_token_has_no_scope_claim() {
    let claims = claims(&Profile::Rfc9068, "", &minting(0, 0, [0; 40]));
    assert!(!claims.json.contains("scope"));
}
