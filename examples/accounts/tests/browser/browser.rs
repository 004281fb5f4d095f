//! A real browser, without a window, that reaches this machine alone.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens one; `None` where none is installed, except in CI.
    pub(crate) async fn open() -> Option<Self> {
        let profile = tempfile::tempdir().expect("a folder");
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            // With the browser that it starts, so that both end.
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = match driver {
            Ok(driver) => driver,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "no chromedriver: {error}");
                println!("skipped: chromedriver is not installed (Debian: chromium-driver)");
                return None;
            }
        };
        let said = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = said
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split("started successfully on port ").nth(1)?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("it says its port");
        let arguments = json!([
            "--headless=new",
            // Tests run as root in a container; the pages are ours.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            format!("--user-data-dir={}", profile.path().display()),
        ]);
        let mut wanted = Capabilities::new();
        wanted.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        wanted.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Some(Self {
            client,
            driver,
            _profile: profile,
        })
    }

    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("a page");
    }

    /// Waits until the element that this selector finds is shown with a text that holds this.
    pub(crate) async fn sees(&self, selector: &str, text: &str) {
        let mut seen = String::new();
        let found = async {
            loop {
                if let Ok(element) = self.client.find(Locator::Css(selector)).await
                    && element.is_displayed().await.unwrap_or(false)
                {
                    seen = element.text().await.unwrap_or_default();
                    if seen.contains(text) {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        assert!(found.is_ok(), "{selector}: {text:?} is not in {seen:?}");
    }

    /// Types into the fields of a form and sends it.
    pub(crate) async fn send(&self, form: &str, fields: &[(&str, &str)]) {
        self.sees(form, "").await;
        for (name, text) in fields {
            let field = format!("{form} [name={name}]");
            let field = self.client.find(Locator::Css(&field)).await.expect(name);
            field.clear().await.expect(name);
            field.send_keys(text).await.expect(name);
        }
        self.click(&format!("{form} button")).await;
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.sees(selector, "").await;
        let button = self.client.find(Locator::Css(selector)).await;
        button.expect(selector).click().await.expect(selector);
    }

    pub(crate) async fn runs(&self, script: &str) -> serde_json::Value {
        let run = self.client.execute(script, Vec::new()).await;
        run.expect("a script")
    }

    pub(crate) async fn close(self) {
        let _ = self.client.clone().close().await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let kill = format!("kill -s KILL -- -{}", self.driver.id());
        let _ = Command::new("sh").args(["-c", &kill]).status();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
