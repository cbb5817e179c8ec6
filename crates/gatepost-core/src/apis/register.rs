//! This file is where APIs come to be: which profile goes with which algorithm.

use gatepost_jose::Algorithm;

use super::profile::Profile;
use super::{Api, Audience, BadApi};
use crate::ids::ApiId;
use crate::keys::rotation::Turns;
use crate::name::Slug;
use crate::time::Timestamp;

/// What is asked for when an API is registered.
pub struct NewApi {
    /// What commands call it.
    pub name: Slug,
    /// What its tokens name as audience.
    pub audience: Audience,
    /// The shape of its tokens.
    pub profile: Profile,
    /// The algorithm of its keys; the profile's usual one when not given.
    pub algorithm: Option<Algorithm>,
    /// How often its keys take turns.
    pub turns: Turns,
}

/// A new API. The `passport` profile is RS256 only, for its header and its readers know nothing else.
pub fn register(id: ApiId, new: NewApi, now: Timestamp) -> Result<Api, BadApi> {
    let algorithm = match (&new.profile, new.algorithm) {
        (Profile::Passport(_), None | Some(Algorithm::Rs256)) => Algorithm::Rs256,
        (Profile::Passport(_), Some(_)) => {
            return Err(BadApi::PassportAlgorithm);
        }
        (Profile::Rfc9068, asked) => asked.unwrap_or(Algorithm::Es256),
    };
    let NewApi { name, audience, profile, turns, .. } = new;
    Ok(Api { id, name, audience, profile, algorithm, turns, created: now, version: 1 })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::apis::profile::PassportOptions;

    fn algorithm_of(profile: Profile, algorithm: Option<Algorithm>) -> Result<Algorithm, BadApi> {
        let audience = Audience::parse("https://api.example.com").unwrap();
        let new =
            NewApi { name: Slug::parse("a").unwrap(), audience, profile, algorithm, turns: Turns::ByDefault };
        register(ApiId(Uuid::nil()), new, Timestamp::from_micros(0)).map(|api| api.algorithm)
    }

    #[test]
    fn passport_is_rs256_and_rfc9068_is_es256_unless_asked() {
        let passport = || Profile::Passport(PassportOptions::default());

        assert_eq!(algorithm_of(passport(), None), Ok(Algorithm::Rs256));
        assert!(algorithm_of(passport(), Some(Algorithm::Es256)).is_err());
        assert_eq!(algorithm_of(Profile::Rfc9068, None), Ok(Algorithm::Es256));
        assert_eq!(algorithm_of(Profile::Rfc9068, Some(Algorithm::Ps256)), Ok(Algorithm::Ps256));
    }

    #[test]
    fn audiences_are_absolute_and_have_no_fragment() {
        assert!(Audience::parse("https://api.example.com/v1/").is_ok());
        assert!(Audience::parse("urn:example:bookings").is_ok());
        for bad in ["", "api", "https://a/#x", "https://a b", "https://é"] {
            assert!(Audience::parse(bad).is_err(), "{bad}");
        }
    }
}
