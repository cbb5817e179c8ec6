//! This file is where the demonstration says what it made, and how to try it in another terminal.

use std::path::Path;

use serde::Serialize;

use super::demo::Demo;
use crate::ending::Trouble;
use crate::output::Output;
use crate::output::escaping::printable;

/// What is said in one line when the server answers.
#[derive(Serialize)]
struct Ready<'a> {
    issuer: &'a str,
    token_url: &'a str,
    standard_token_url: &'a str,
    api_url: &'a str,
    admin_url: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    scopes: &'a [String],
    pid: u32,
}

/// Says it: a line for programs, a page for people.
pub(super) fn tell(demo: &Demo, folder: &Path, output: Output) -> Result<(), Trouble> {
    if !output.is_json() {
        return output.text(&page(demo, folder));
    }
    output.line(&Ready {
        issuer: &demo.issuer,
        token_url: &demo.token_url,
        standard_token_url: &demo.standard_token_url,
        api_url: &demo.api_url,
        admin_url: &demo.admin_url,
        client_id: &demo.client_id,
        client_secret: demo.secret.expose(),
        scopes: &demo.scopes,
        pid: std::process::id(),
    })
}

/// The commands need curl and sed, nothing else.
fn page(demo: &Demo, folder: &Path) -> String {
    let Demo { issuer, token_url, standard_token_url, api_url, admin_url, partner, client_id, .. } = demo;
    let folder = printable(&folder.to_string_lossy());
    let (secret, scopes, version) = (demo.secret.expose(), demo.scopes.join(" "), env!("CARGO_PKG_VERSION"));
    let cut = r#"sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'"#;
    format!(
        r#"
Gatepost {version}  dev: demo data in a temporary folder, plain HTTP on this computer only, gone when you stop it.

  Issuer          {issuer}
  Token endpoint  {token_url}   (as Laravel Passport has it)
                  {standard_token_url}   (RFC 6749)
  For developers  {issuer}/docs
  For operators   {admin_url}/metrics
  Demo API        {api_url}/bookings
  Data folder     {folder}   (other commands take it as --data)

Made for you: partner "{partner}", client {client_id}, scopes {scopes}

Try it in another terminal. A token, from either door:

  TOKEN=$(curl -s {token_url} \
      -d grant_type=client_credentials -d client_id={client_id} \
      -d client_secret={secret} \
      --data-urlencode 'scope={scopes}' | {cut})

  TOKEN=$(curl -s {standard_token_url} \
      -u {client_id}:{secret} \
      -d grant_type=client_credentials --data-urlencode 'scope={scopes}' | {cut})

Calls to the API, with it and without:

  BOOKING=$(curl -s {api_url}/bookings -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
      -d '{{"reference":"ACME-1","starts":"2030-01-31T09:00:00Z"}}' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p'); echo $BOOKING
  curl -i {api_url}/bookings -H "Authorization: Bearer $TOKEN"                        # 200, the booking
  curl -i -X DELETE {api_url}/bookings/$BOOKING -H "Authorization: Bearer $TOKEN"     # 204
  curl -i {api_url}/bookings                                                          # 401, and why

Ready for real use?  gatepost init
Ctrl-C stops.  Requests appear below.

"#
    )
}

#[cfg(test)]
mod tests {
    use gatepost_operations::core::secret::Secret;

    use super::*;

    #[test]
    fn the_page_holds_commands_that_can_be_pasted_as_they_are() {
        let demo = Demo {
            issuer: "http://127.0.0.1:1".into(),
            token_url: "http://127.0.0.1:1/api/oauth/token".into(),
            standard_token_url: "http://127.0.0.1:1/oauth2/token".into(),
            api_url: "http://127.0.0.1:3".into(),
            admin_url: "http://127.0.0.1:2".into(),
            partner: "Acme Ltd".into(),
            client_id: "c1".into(),
            secret: Secret::new("s1".into()),
            scopes: vec!["a".into(), "b".into()],
            api_id: "a1".into(),
            api_secret: Secret::new("s2".into()),
        };
        let page = page(&demo, Path::new("/tmp/d"));

        assert!(page.contains("-u c1:s1"), "{page}");
        assert!(page.contains("--data-urlencode 'scope=a b'"), "{page}");
        assert!(page.contains(r#"-d '{"reference":"ACME-1","starts":"2030-01-31T09:00:00Z"}'"#), "{page}");
        assert!(page.contains(r#"| sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')"#), "{page}");
    }
}
