//! The pages that a user sees. They work without scripts, by keyboard, on a phone, in dark and
//! light, and say whose they aren't.

use std::format;
use std::string::String;

use super::options::User;
use super::random::Random;
use super::shape;
use crate::protocol::http::Response;

const STYLE: &str = include_str!("page.css");

/// Nobody's logo: a gate.
const MARK: &str = r##"<svg viewBox="0 0 28 28" aria-hidden="true"><rect width="28" height="28" rx="8" fill="#3346c9"/><path d="M7 21V13a7 7 0 0 1 14 0v8M14 6v15M7 15h14" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>"##;
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28'%3E%3Crect width='28' height='28' rx='8' fill='%233346c9'/%3E%3Cpath d='M7 21V13a7 7 0 0 1 14 0v8M14 6v15M7 15h14' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E";
const TICK: &str = r#"<svg viewBox="0 0 20 20" aria-hidden="true"><path d="m4 10.5 4 4 8-9" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>"#;

/// What a scope means to the one who is asked.
fn in_words(scope: &str) -> &'static str {
    match scope {
        "AAB" => "See and change your address book",
        "DC" => "See what your phone is and what it can do",
        "IMMN" => "Send messages from your phone number",
        "MIM" => "Read and manage the messages in your inbox",
        "TL" => "See where your phone is",
        "MOBO" => "Send and read messages on your behalf",
        "WEBRTCMOBILE" => "Make and receive calls with your phone number",
        _ => "Use another service on your behalf",
    }
}

/// Who signs in? `tried`: what didn't match a moment ago. `users` may be picked.
pub fn sign_in(
    ticket: &str,
    app: &str,
    users: &[User],
    tried: Option<&str>,
    random: &mut Random,
) -> Response {
    let alert = match tried {
        Some(_) => {
            r#"<p class="alert" id="wrong" role="alert">This phone number or user ID and this password don't belong together. Try again.</p>"#
        }
        None => "",
    };
    let invalid = match tried {
        Some(_) => r#" aria-invalid="true" aria-describedby="wrong""#,
        None => "",
    };
    let fields = format!(
        r#"<label for="user">Phone number or user ID</label>
<input type="text" id="user" name="user" value="{tried}" autocomplete="username" autocapitalize="none" spellcheck="false" required{invalid}>
<label for="password">Password</label>
<input type="password" id="password" name="password" autocomplete="current-password" required{invalid}>
<button class="main" name="action" value="sign_in">Sign in</button>
<button class="plain" name="action" value="deny" formnovalidate>Cancel</button>"#,
        tried = escape(tried.unwrap_or_default()),
    );
    let body = format!(
        r#"<h1>Sign in</h1>
<p class="soft">to go on to <b>{app}</b></p>
{alert}{form}{people}"#,
        app = escape(app),
        form = form(ticket, &fields),
        people = people(ticket, users),
    );
    page(200, "Sign in", &body, random)
}

/// Is it still the one we remember?
pub fn welcome(ticket: &str, app: &str, user: Option<&User>, random: &mut Random) -> Response {
    let name = user.map_or("", |user| &user.name);
    let fields = format!(
        r#"<button class="main" name="action" value="continue">Continue as {name}</button>
<button class="plain" name="action" value="switch">Switch user</button>
<button class="plain" name="action" value="deny">Cancel</button>"#,
        name = escape(name),
    );
    let body = format!(
        r#"<h1>Welcome back</h1>
<p class="soft"><b>{app}</b> wants to sign you in. This browser remembers you.</p>
{who}{form}"#,
        app = escape(app),
        who = who(user, "Remembered on this browser"),
        form = form(ticket, &fields),
    );
    page(200, "Welcome back", &body, random)
}

/// What may the app do?
pub fn consent(
    ticket: &str,
    app: &str,
    user: Option<&User>,
    by_network: bool,
    scopes: &[String],
    remember: bool,
    random: &mut Random,
) -> Response {
    let mut list = String::new();
    for scope in scopes {
        let (words, scope) = (in_words(scope), escape(scope));
        list.push_str(&format!(
            "<li>{TICK}<span>{words}<code>{scope}</code></span></li>"
        ));
    }
    let fields = format!(
        r#"<ul class="scopes">{list}</ul>
<label class="check"><input type="checkbox" name="remember" value="on"{checked}> <span>Remember Me<small>Next time this browser signs you in without asking.</small></span></label>
<button class="main" name="action" value="allow">Allow</button>
<button class="plain" name="action" value="deny">Deny</button>
<p class="soft">Not you? <button class="link" name="action" value="switch">Switch user</button></p>"#,
        checked = if remember { " checked" } else { "" },
    );
    let how = match by_network {
        true => "Recognised by the phone number you are connected with",
        false => "Signed in",
    };
    let body = format!(
        r#"<h1>Allow {app}?</h1>
{who}
<p class="soft">It asks for your permission to:</p>
{form}"#,
        app = escape(app),
        form = form(ticket, &fields),
        who = who(user, how),
    );
    page(200, "Allow access", &body, random)
}

/// Something that the user can do nothing about, and the app must not be told by a redirect.
pub fn problem(status: u16, text: &str, random: &mut Random) -> Response {
    let body = format!(
        r#"<h1>This sign-in can't go on</h1>
<p>{}</p>
<p class="soft">Nothing was shared with the app.</p>"#,
        escape(text)
    );
    page(status, "Can't sign in", &body, random)
}

/// Goes to `location`, and there again after `after_ms` milliseconds, if the browser is still here
/// then: what AT&T's sign-in page is known to do `[S]`. The second navigation replaces the first, whose
/// request has mostly left by then. The `Location` field is for programs; browsers ignore it with status 200.
pub fn leaving_twice(location: &str, app: &str, after_ms: u32, random: &mut Random) -> Response {
    let nonce = random.alphanumeric(22);
    let body = format!(
        r#"<h1>Taking you back</h1>
<p>to <b>{app}</b>, twice, as AT&amp;T's sign-in page does. <a id="next" href="{href}">Go on</a></p>
<script nonce="{nonce}">
const go = () => location.assign(document.getElementById("next").href);
go();
setTimeout(go, {after_ms});
</script>"#,
        app = escape(app),
        href = escape(location),
    );
    page_with(200, "Taking you back", &body, &nonce).header("location", location)
}

fn people(ticket: &str, users: &[User]) -> String {
    if users.is_empty() {
        return String::new();
    }
    let mut buttons = String::new();
    for (i, user) in users.iter().enumerate() {
        buttons.push_str(&format!(
            r#"<button class="person" name="action" value="pick_{i}">{face}<span><b>{name}</b><small>{phone} · password <code>{password}</code></small></span></button>"#,
            face = face(&user.name),
            name = escape(&user.name),
            phone = escape(&user.phone_number),
            password = escape(user.password.expose()),
        ));
    }
    format!(
        r#"<section class="people" aria-labelledby="people"><h2 id="people">Or pick one of this emulator's people</h2>{}</section>"#,
        form(ticket, &buttons)
    )
}

fn who(user: Option<&User>, how: &str) -> String {
    let (name, phone) = user.map_or(("", ""), |user| (&user.name, &user.phone_number));
    format!(
        r#"<div class="who">{face}<div><b>{name}</b><small>{phone}</small><small>{how}</small></div></div>"#,
        face = face(name),
        name = escape(name),
        phone = escape(phone),
    )
}

fn face(name: &str) -> String {
    let initials: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .collect();
    format!(
        r#"<span class="face" aria-hidden="true">{}</span>"#,
        escape(&initials)
    )
}

fn form(ticket: &str, fields: &str) -> String {
    format!(
        r#"<form method="post" action="/oauth/v4/authorize"><input type="hidden" name="ticket" value="{ticket}">{fields}</form>"#
    )
}

fn page(status: u16, title: &str, body: &str, random: &mut Random) -> Response {
    let nonce = random.alphanumeric(22);
    page_with(status, title, body, &nonce)
}

fn page_with(status: u16, title: &str, body: &str, nonce: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Gateway emulator</title>
<link rel="icon" href="{ICON}">
<style nonce="{nonce}">{STYLE}</style>
</head>
<body>
<p class="banner" role="note">An emulator for development. This is not AT&amp;T.</p>
<main><div class="card">
<p class="brand">{MARK}Gateway emulator</p>
{body}
</div></main>
<footer>Stands in for AT&amp;T's gateway. Real accounts don't work here; don't type a real password.</footer>
</body>
</html>
"#
    );
    // No form-action: browsers apply it to the redirects that follow a form, which end at the app.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    );
    shape::no_store(status)
        .header("content-security-policy", policy)
        .header("x-frame-options", "DENY")
        // With no-referrer a browser would send our own forms with `Origin: null`.
        .header("referrer-policy", "same-origin")
        .body("text/html; charset=utf-8", html)
}

pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
