//! This file is where the sections' settings are put together: the one table that loading, explaining and the reference read.

use super::setting::Setting;
use super::{
    cache, clients, database, dev, docs, keys, limits, log, origin, place, refusals, revocations, server,
    signing, tls, tokens,
};

/// All settings, in the order of the reference.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        place::SETTINGS,
        server::SETTINGS,
        tls::SETTINGS,
        database::SETTINGS,
        origin::SETTINGS,
        tokens::SETTINGS,
        keys::SETTINGS,
        signing::SETTINGS,
        clients::SETTINGS,
        limits::SETTINGS,
        cache::SETTINGS,
        log::SETTINGS,
        refusals::SETTINGS,
        revocations::SETTINGS,
        dev::SETTINGS,
        docs::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// The setting of that name.
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.key == key)
}

/// The name that was probably meant, if one is near enough.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    let likeness = |setting: &Setting| {
        let whole = strsim::jaro_winkler(key, setting.key);
        let last = key.rsplit('.').next().unwrap_or(key);
        // A right name in the wrong section is the second most common slip after a typing error.
        if last == setting.name() { whole.max(0.9) } else { whole }
    };
    settings()
        .map(|setting| (likeness(setting), setting.key))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key)
}
