//! This file is where loading is tested: who wins, what is refused and with which words.

use std::time::Duration;

use gatepost_store::{Address, Location};

use super::*;

fn load(env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    load_file(None, env, flags)
}

fn load_file(
    file: Option<&str>,
    env: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Loaded, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatepost.toml");
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
    }
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let overrides = Overrides { config_file: file.map(|_| path), data: None, flags: own(flags) };
    Config::load(overrides, own(env))
}

fn refused(file: &str) -> ConfigError {
    load_file(Some(file), &[], &[]).unwrap_err()
}

fn default_config() -> Config {
    load(&[], &[]).unwrap().config
}

#[test]
fn nothing_said_is_a_server_on_loopback() {
    let config = default_config();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8460");
    assert_eq!(config.server.admin_listen.to_string(), "127.0.0.1:8461");
    assert_eq!(config.data, PathBuf::from("./gatepost-data"));
    assert_eq!(config.database.location, Location::Sqlite("./gatepost-data/gatepost.db".into()));
    assert_eq!(config.server.body_limit, 65_536);
    assert_eq!(config.server.header_limit, 32_768);
    assert_eq!(config.tokens.lifetime, Duration::from_secs(3600));
    assert_eq!(config.keys.rsa_bits, 4096);
    assert_eq!(config.issuer.at(config.server.listen).unwrap().as_str(), "http://127.0.0.1:8460");
    assert!(load(&[], &[]).unwrap().warnings.is_empty());
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\nadmin_listen = \"127.0.0.1:1\"\nworkers = 1\n";
    let env = [("GATEPOST_SERVER__LISTEN", "127.0.0.1:2"), ("GATEPOST_SERVER__ADMIN_LISTEN", "127.0.0.1:2")];
    let flags = [("server.listen", "127.0.0.1:3")];
    let config = load_file(Some(file), &env, &flags).unwrap().config;

    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.admin_listen.port(), 2);
    assert_eq!(config.server.workers, 1);
    assert_eq!(config.clients.max_secrets, 5);

    let source = |key| config.explain(key).unwrap().source;
    assert_eq!(source("server.listen"), Source::Flag);
    assert_eq!(source("server.admin_listen"), Source::Env("GATEPOST_SERVER__ADMIN_LISTEN".to_owned()));
    assert!(matches!(source("server.workers"), Source::File(path, 4) if path.ends_with("gatepost.toml")));
    assert_eq!(source("clients.max_secrets"), Source::Default);
}

#[test]
fn the_environment_may_name_the_file_and_the_flag_beats_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, title: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("docs.title = \"{title}\"")).unwrap();
        path
    };
    let (one, two) = (file("one.toml", "one"), file("two.toml", "two"));
    let env = || [("GATEPOST_CONFIG".to_owned(), one.display().to_string())];

    let by_env = Config::load(Overrides::default(), env()).unwrap().config;
    let overrides = Overrides { config_file: Some(two), ..Overrides::default() };
    let by_flag = Config::load(overrides, env()).unwrap().config;

    assert_eq!(by_env.docs.title, "one");
    assert_eq!(by_flag.docs.title, "two");
}

#[test]
fn an_unknown_setting_is_refused_with_its_line_and_the_likely_meaning() {
    for (file, line, meant) in [
        ("[server]\n\nlisen = \"127.0.0.1:1\"\n", 3, "server.listen"),
        ("[sever]\nlisten = \"127.0.0.1:1\"\n", 2, "server.listen"),
        ("body_limit = \"1KiB\"\n", 1, "server.body_limit"),
        ("[tokens]\nlife_time = \"1h\"\n", 2, "tokens.lifetime"),
    ] {
        let error = refused(file);
        assert_eq!(error.problem(), Problem::UnknownSetting, "{file}");
        assert!(error.what().contains(&format!("gatepost.toml:{line}")), "{error}");
        assert_eq!(error.fix(), format!("did you mean `{meant}`?"), "{file}");
    }
}

#[test]
fn an_unknown_variable_is_refused_with_the_variable_that_was_meant() {
    let error = load(&[("GATEPOST_SERVER__LISEN", "x")], &[]).unwrap_err();
    assert_eq!(error.problem(), Problem::UnknownSetting);
    assert!(error.what().contains("GATEPOST_SERVER__LISEN"), "{error}");
    assert_eq!(error.fix(), "did you mean `GATEPOST_SERVER__LISTEN`?");
}

#[test]
fn an_unknown_flag_is_refused() {
    let error = load(&[], &[("server.lsten", "x")]).unwrap_err();
    assert_eq!(error.problem(), Problem::UnknownSetting);
}

#[test]
fn other_variables_with_our_prefix_are_one_warning() {
    let env = [
        ("GATEPOST_PORT", "tcp://10.0.0.1:80"),
        ("GATEPOST_SERVICE_HOST", "10.0.0.1"),
        ("GATEPOST_URL", "https://auth.example.com"),
        ("GATEPOST_TOKEN_FILE", "/run/token"),
        ("PATH", "/bin"),
    ];
    let warnings = load(&env, &[]).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("GATEPOST_PORT, GATEPOST_SERVICE_HOST"), "{warnings:?}");
    assert!(!warnings[0].contains("GATEPOST_URL"), "{warnings:?}");
}

#[test]
fn short_names_set_folder_and_issuer() {
    let env = [("GATEPOST_DATA", "/srv/state"), ("GATEPOST_ISSUER", "https://auth.example.com")];
    let config = load(&env, &[]).unwrap().config;
    assert_eq!(config.data, PathBuf::from("/srv/state"));
    assert_eq!(config.issuer.at(config.server.listen).unwrap().as_str(), "https://auth.example.com");
}

#[test]
fn the_flag_for_the_folder_beats_the_environment() {
    let overrides = Overrides { data: Some("/flag".into()), ..Overrides::default() };
    let env = [("GATEPOST_DATA".to_owned(), "/env".to_owned())];
    let config = Config::load(overrides, env).unwrap().config;
    assert_eq!(config.data, PathBuf::from("/flag"));
    assert_eq!(config.database.location, Location::Sqlite("/flag/gatepost.db".into()));
}

#[test]
fn a_variable_may_name_a_file_that_holds_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://gatepost:hunter2@db/gatepost\n").unwrap();
    let path = path.display().to_string();

    let config = load(&[("GATEPOST_DATABASE__URL_FILE", &path)], &[]).unwrap().config;

    let address = Address("postgres://gatepost:hunter2@db/gatepost".to_owned());
    assert_eq!(config.database.location, Location::Postgres(address));
    let source = config.explain("database.url").unwrap().source;
    assert_eq!(source, Source::Env("GATEPOST_DATABASE__URL_FILE".to_owned()));
}

#[test]
fn only_one_newline_is_taken_off_a_value_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("title");
    std::fs::write(&path, "two\n\n").unwrap();
    let path = path.display().to_string();
    let config = load(&[("GATEPOST_DOCS__TITLE_FILE", &path)], &[]).unwrap().config;
    assert_eq!(config.docs.title, "two\n");
}

#[test]
fn a_value_and_a_file_for_it_exclude_one_another() {
    let env = [("GATEPOST_DOCS__TITLE", "a"), ("GATEPOST_DOCS__TITLE_FILE", "/nowhere")];
    assert_eq!(load(&env, &[]).unwrap_err().problem(), Problem::Conflict);
}

#[test]
fn a_missing_value_file_is_named_with_its_variable() {
    let error = load(&[("GATEPOST_DOCS__TITLE_FILE", "/nowhere/title")], &[]).unwrap_err();
    assert_eq!(error.problem(), Problem::Unreadable);
    assert!(error.what().contains("/nowhere/title") && error.what().contains("GATEPOST_DOCS__TITLE_FILE"));
}

#[test]
fn a_missing_file_and_broken_toml_are_told_apart() {
    let overrides = Overrides { config_file: Some("/nowhere/gatepost.toml".into()), ..Overrides::default() };
    assert_eq!(Config::load(overrides, []).unwrap_err().problem(), Problem::Unreadable);

    let error = refused("[server]\nlisten = \n");
    assert_eq!(error.problem(), Problem::NotToml);
    assert!(error.what().contains(":2"), "{error}");
}

#[test]
fn lists_are_arrays_in_the_file_and_comma_separated_elsewhere() {
    let file = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"192.0.2.7\"]\n";
    let from_file = load_file(Some(file), &[], &[]).unwrap().config.server.trusted_proxies;
    let from_env =
        load(&[("GATEPOST_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")], &[]).unwrap().config;
    let empty = load(&[("GATEPOST_SERVER__TRUSTED_PROXIES", "")], &[]).unwrap().config;

    assert_eq!(from_file, from_env.server.trusted_proxies);
    assert_eq!(from_file.len(), 2);
    assert!(empty.server.trusted_proxies.is_empty());
}

#[test]
fn a_list_of_an_upper_layer_replaces_the_lower_one() {
    let file = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"192.0.2.7\"]\n";
    let env = [("GATEPOST_SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let config = load_file(Some(file), &env, &[]).unwrap().config;
    assert_eq!(config.server.trusted_proxies.len(), 1);
}

#[test]
fn values_that_a_setting_does_not_take_are_refused_with_setting_value_and_place() {
    for (key, value) in [
        ("server.listen", "8460"),
        ("server.behind_proxy", "yes"),
        ("server.trusted_proxies", "10.0.0.0/33"),
        ("server.request_timeout", "15"),
        ("server.body_limit", "64kb"),
        ("server.header_limit", "10"),
        ("server.max_headers", "-1"),
        ("server.max_connections", "0"),
        ("tls.min_version", "1.1"),
        ("database.max_connections", "many"),
        ("origin.path", "token"),
        ("origin.path", "/oauth2/token"),
        ("origin.error_style", "passport11"),
        ("tokens.lifetime", "0"),
        ("tokens.lifetime", "25h"),
        ("keys.rsa_bits", "1024"),
        ("cache.refresh", "2s"),
        ("log.level", "loud"),
        ("log.buffer", "0"),
        ("dev.api_listen", "0.0.0.0:8462"),
        ("issuer", "http://auth.example.com"),
        ("issuer", "https://auth.example.com/"),
        ("issuer", "https://auth.example.com?x=1"),
        ("data", ""),
    ] {
        let error = load(&[], &[(key, value)]).unwrap_err();
        assert!(error.what().contains(&format!("`{key}`")), "{key}={value}: {error}");
        assert!(error.what().contains(value), "{key}={value}: {error}");
        assert!(!error.why().is_empty() && !error.fix().is_empty(), "{error}");
    }
}

#[test]
fn a_toml_value_of_the_wrong_shape_is_refused() {
    for file in [
        "server = 5",
        "[server]\nlisten = 1.5",
        "[server]\nlisten = [\"127.0.0.1:1\"]",
        "[server.listen]\nport = 1",
        "[server]\ntrusted_proxies = [[\"10.0.0.0/8\"]]",
        "issuer = 2026-11-23",
    ] {
        let error = refused(file);
        assert!(error.what().contains("gatepost.toml:"), "{error}");
    }
}

#[test]
fn plain_http_on_a_public_address_is_refused_unless_a_proxy_is_declared() {
    let public = ("server.listen", "0.0.0.0:8460");
    let issuer = ("issuer", "https://auth.example.com");

    let error = load(&[], &[public, issuer]).unwrap_err();
    assert_eq!(error.problem(), Problem::PlainHttpInPublic);
    assert!(error.fix().contains("tls.cert") && error.fix().contains("server.behind_proxy"), "{error}");

    assert!(load(&[], &[public, issuer, ("server.behind_proxy", "true")]).is_ok());
    assert!(load(&[], &[public, issuer, ("tls.cert", "c.pem"), ("tls.key", "k.pem")]).is_ok());
}

#[test]
fn a_public_admin_address_needs_a_proxy_even_with_a_certificate() {
    let admin = ("server.admin_listen", "192.0.2.1:8461");
    for flags in [&[admin][..], &[admin, ("tls.cert", "c.pem"), ("tls.key", "k.pem")]] {
        let error = load(&[], flags).unwrap_err();
        assert_eq!(error.problem(), Problem::PlainHttpInPublic);
        assert!(error.what().contains("server.admin_listen"), "{error}");
    }
    let issuer = ("issuer", "https://auth.example.com");
    assert!(load(&[], &[admin, issuer, ("server.behind_proxy", "true")]).is_ok());
}

#[test]
fn a_public_address_needs_an_issuer() {
    let error = load(&[], &[("server.listen", "0.0.0.0:8460"), ("server.behind_proxy", "true")]).unwrap_err();
    assert_eq!(error.problem(), Problem::Missing);
    assert!(error.what().contains("issuer"), "{error}");
}

#[test]
fn a_proxy_without_an_issuer_is_a_warning() {
    let loaded = load(&[], &[("server.behind_proxy", "true")]).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("issuer"));
}

#[test]
fn certificate_and_key_go_together() {
    let error = load(&[], &[("tls.cert", "cert.pem")]).unwrap_err();
    assert_eq!(error.problem(), Problem::Missing);
    assert!(error.what().contains("tls.key"), "{error}");
    assert!(load(&[], &[("tls.key", "key.pem")]).unwrap_err().what().contains("tls.cert"));
}

#[test]
fn with_tls_the_issuer_on_loopback_is_https() {
    let config = load(&[], &[("tls.cert", "c.pem"), ("tls.key", "k.pem")]).unwrap().config;
    let issuer = config.issuer.at("127.0.0.1:4711".parse().unwrap()).unwrap();
    assert_eq!(issuer.as_str(), "https://127.0.0.1:4711");
}

#[test]
fn port_zero_is_allowed_and_the_issuer_follows_the_port_that_was_bound() {
    let config = load(&[], &[("server.listen", "127.0.0.1:0")]).unwrap().config;
    let issuer = config.issuer.at("127.0.0.1:4711".parse().unwrap()).unwrap();
    assert_eq!(issuer.as_str(), "http://127.0.0.1:4711");
}

#[test]
fn a_database_password_shows_nowhere() {
    let url = "postgres://gatepost:hunter2@db/gatepost";
    let config = load(&[("GATEPOST_DATABASE__URL", url)], &[]).unwrap().config;
    let told = format!(
        "{config:?} {:?} {} {:?} {:?}",
        config.database,
        config.database,
        config.show(),
        config.explain("database.url")
    );
    assert!(!told.contains("hunter2"), "{told}");
    assert!(told.contains("postgres://gatepost:***@db/gatepost"), "{told}");

    let error = load(&[("GATEPOST_DATABASE__URL", "mysql://root:hunter2@db")], &[]).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn every_setting_is_shown_and_explained() {
    let config = default_config();
    let shown: Vec<_> = config.show().into_iter().map(|one| one.key).collect();
    let all: Vec<_> = settings().map(|setting| setting.key).collect();
    assert_eq!(shown, all);
    assert!(config.explain("server.lisen").is_none());
    assert_eq!(Config::meant("server.lisen"), Some("server.listen"));
}

#[test]
fn every_setting_has_a_name_of_its_own_that_does_not_end_in_file() {
    let mut keys: Vec<_> = settings().map(|setting| setting.key).collect();
    assert!(keys.iter().all(|key| !key.ends_with("_file")), "`_FILE` is how a value is read from a file");
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn every_setting_can_be_set_by_its_variable() {
    for setting in settings() {
        let loaded = load(&[(&setting.variable(), setting.default)], &[]).unwrap();
        let source = loaded.config.explain(setting.key).unwrap().source;
        assert_eq!(source, Source::Env(setting.variable()));
    }
}

#[test]
fn the_example_file_holds_every_setting_with_its_default() {
    let uncommented: String =
        reference::example().lines().map(|line| uncomment(line).to_owned() + "\n").collect();
    let config = load_file(Some(&uncommented), &[], &[]).unwrap().config;
    for (from_file, default) in config.show().into_iter().zip(default_config().show()) {
        assert!(matches!(from_file.source, Source::File(..)), "{} is missing", default.key);
        assert_eq!(from_file.value, default.value, "{}", default.key);
    }
}

/// Takes the `#` off a setting; prose has a space behind it.
fn uncomment(line: &str) -> &str {
    match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        Some(_) | None => line,
    }
}

#[test]
fn the_written_reference_and_example_are_those_of_the_table() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (path, text) in
        [("docs/reference/config.md", reference::page()), ("gatepost.example.toml", reference::example())]
    {
        let path = root.join(path);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        let hint = "run `UPDATE=1 cargo test -p gatepost-operations`";
        assert!(written == text, "{} is not up to date: {hint}", path.display());
    }
}
