//! The page in a real browser.

mod browser;
mod service;

use browser::Browser;
use service::Service;

#[tokio::test]
async fn the_page_runs_its_own_scripts_and_no_others() {
    let Some(browser) = Browser::open().await else {
        return;
    };
    let service = Service::start();
    browser.go(&service.url).await;
    browser.sees("h1", "Accounts").await;
    browser.sees("#signed-out", "").await;
    for attack in [
        "const script = document.createElement('script');
         script.textContent = 'window.ran = true';
         document.body.append(script);",
        "const script = document.createElement('script');
         script.src = 'data:text/javascript,window.ran = true';
         document.body.append(script);",
        "document.body.innerHTML = '<img src=data: onerror=\"window.ran = true\">';",
        "document.body.setAttribute('onclick', 'window.ran = true'); document.body.click();",
    ] {
        let tried =
            format!("try {{ {attack} return 'done' }} catch (error) {{ return error.name }}");
        let tried = browser.runs(&tried).await;
        assert!(
            tried == "TypeError" || tried == "EvalError",
            "{attack}: {tried}"
        );
    }
    assert_eq!(browser.runs("return window.ran === undefined").await, true);
    browser.close().await;
}

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "tidy-otters-map-the-river";

#[tokio::test]
async fn a_person_signs_up_and_in_and_ends_other_sign_ins() {
    let Some(browser) = Browser::open().await else {
        return;
    };
    let service = Service::start();
    browser.go(&service.url).await;
    let typed = [("email", EMAIL), ("password", PASSWORD)];
    browser.send("#sign-up", &typed).await;
    browser.sees("#message", "Look into your mail").await;
    browser.send("#sign-in", &typed).await;
    browser.sees("#who", EMAIL).await;

    // No script reads the session, and the cookie goes nowhere else.
    assert_eq!(browser.runs("return document.cookie").await, "");
    let cookies = browser.client.get_all_cookies().await.expect("cookies");
    let session = cookies
        .iter()
        .find(|cookie| cookie.name() == "__Host-session");
    let session = session.expect("a session");
    assert_eq!(
        (session.http_only(), session.secure(), session.path()),
        (Some(true), Some(true), Some("/"))
    );

    // It lasts through a visit elsewhere, and what is said of the person stays.
    browser.send("#profile", &[("name", "Ada")]).await;
    browser.sees("#message", "Saved.").await;
    browser.go("about:blank").await;
    browser.go(&service.url).await;
    browser.sees("#who", EMAIL).await;

    let Some(other) = Browser::open().await else {
        return;
    };
    other.go(&service.url).await;
    other.send("#sign-in", &typed).await;
    other.sees("#sessions li:nth-child(2)", "last used").await;
    browser.go(&service.url).await;
    browser.click("#elsewhere").await;
    browser
        .sees("#message", "You are signed in here alone.")
        .await;
    other.go(&service.url).await;
    other.sees("#signed-out", "Sign in").await;
    other.close().await;

    browser.click("#sign-out").await;
    browser.sees("#signed-out", "Sign in").await;
    let cookies = browser.client.get_all_cookies().await.expect("cookies");
    assert!(
        cookies
            .iter()
            .all(|cookie| cookie.name() != "__Host-session")
    );
    browser.close().await;
}

/// The code that an authenticator app shows for this secret now (RFC 6238), counted by the browser itself.
const CODE: &str = "
    const [secret, ahead, done] = arguments;
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...secret.replaceAll(' ', '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
    const bytes = Uint8Array.from(bits.match(/.{8}/g), (byte) => parseInt(byte, 2));
    const step = new DataView(new ArrayBuffer(8));
    step.setBigUint64(0, BigInt(Math.floor(Date.now() / 30000) + ahead));
    crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
        .then((key) => crypto.subtle.sign('HMAC', key, step))
        .then((mac) => {
            const view = new DataView(mac);
            const number = view.getUint32(view.getUint8(19) & 15) & 0x7fffffff;
            done(String(number % 1000000).padStart(6, '0'));
        });";

impl Browser {
    /// The code of this many steps of thirty seconds from now.
    async fn code(&self, secret: &str, ahead: i64) -> String {
        let arguments = vec![secret.into(), ahead.into()];
        let code = self.client.execute_async(CODE, arguments).await;
        code.expect("a code").as_str().expect("text").to_owned()
    }

    /// Follows the link of the newest mail in the service's inbox.
    async fn follow(&self, service: &Service, page: &str) {
        let link = format!("{}/{page}#token=", service.url);
        let begun = std::time::Instant::now();
        loop {
            self.go(&format!("{}/dev/inbox", service.url)).await;
            let text = self.runs("return document.body.textContent").await;
            let text = text.as_str().expect("text");
            if let Some(at) = text.find(&link) {
                let link = text[at..].split_whitespace().next().expect("a link");
                self.go("about:blank").await;
                return self.go(link).await;
            }
            assert!(begun.elapsed().as_secs() < 30, "{text}");
        }
    }
}

#[tokio::test]
async fn a_second_factor_is_set_up_asked_for_and_survives_a_reset() {
    let Some(browser) = Browser::open().await else {
        return;
    };
    let service = Service::start();
    browser.go(&service.url).await;
    let typed = [("email", EMAIL), ("password", PASSWORD)];
    browser.send("#sign-up", &typed).await;
    browser.sees("#message", "Look into your mail").await;
    browser.follow(&service, "verify").await;
    browser.sees("#message", "Your address is confirmed.").await;
    assert_eq!(
        browser.runs("return location.href").await,
        format!("{}/", service.url)
    );

    browser.send("#sign-in", &typed).await;
    browser.sees("#factor", "None").await;
    browser.click("#enroll").await;
    browser.sees("#key", "").await;
    let key = browser
        .runs("return document.getElementById('key').textContent")
        .await;
    let key = key.as_str().expect("a key").to_owned();
    let code = browser.code(&key, 0).await;
    let confirmed = [("code", code.as_str()), ("password", PASSWORD)];
    browser.send("#confirm", &confirmed).await;
    browser.sees("#factor", "10 recovery codes").await;
    let first = "return document.querySelector('#recovery li').textContent";
    let recovery = browser.runs(first).await;
    browser.click("#sign-out").await;

    // The code of before is used up; that of the next step is let in early.
    browser.send("#sign-in", &typed).await;
    browser.send("#code", &[("code", &code)]).await;
    browser.sees("#message", "code").await;
    browser.send("#sign-in", &typed).await;
    let next = browser.code(&key, 1).await;
    browser.send("#code", &[("code", &next)]).await;
    browser.sees("#who", EMAIL).await;
    browser.click("#sign-out").await;

    browser.send("#forgotten", &[("email", EMAIL)]).await;
    browser.sees("#message", "a mail is on its way").await;
    browser.follow(&service, "reset").await;
    let other = "seven-lanterns-over-the-harbour";
    browser.send("#reset", &[("password", other)]).await;
    browser.sees("#message", "Your password is changed").await;
    browser
        .send("#sign-in", &[("email", EMAIL), ("password", other)])
        .await;
    let recovery = recovery.as_str().expect("a code");
    browser.send("#code", &[("code", recovery)]).await;
    browser.sees("#factor", "9 recovery codes").await;
    browser.close().await;
}
