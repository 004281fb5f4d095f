//! `palisade generate resource`: a migration, a module, tests, and the lines that name them.

mod text;

use super::app::App;
use super::field::{self, Field};
use super::owner::Owner;
use super::plan::Plan;
use super::service::Service;
use super::source::Source;
use super::words::Words;
use crate::Failure;

pub(super) const MAIN: &str = "src/main.rs";
pub(super) const TESTS: &str = "tests/api/main.rs";

/// Fields at most; `json!` cannot hold many more.
const MOST: usize = 31;

/// Everything that is said about a resource.
pub(crate) struct Resource {
    pub(super) words: Words,
    pub(super) fields: Vec<Field>,
    pub(super) owner: Owner,
    /// Whether several are called by another name than usual.
    pub(super) plural_given: bool,
}

impl Resource {
    /// Checks the names and the fields, and then asks whose it is.
    pub(crate) fn new(
        one: &str,
        fields: &[String],
        plural: Option<&str>,
        owner: impl FnOnce(&Words) -> Result<Owner, Failure>,
    ) -> Result<Self, Failure> {
        let words = Words::of(one, plural)?;
        if fields.is_empty() {
            return Err(Failure::usage(format!(
                "A resource holds something: name its fields, as in `palisade generate resource {one} title:text:1..200`."
            )));
        }
        if fields.len() > MOST {
            return Err(Failure::usage(format!(
                "A resource has {MOST} fields at most, and these are {}: put some into a resource of their own.",
                fields.len()
            )));
        }
        let fields = field::all(fields)?;
        for field in &fields {
            let choice = field.choice(&words.ty);
            if !field.kind.variants().is_empty()
                && [format!("{}View", words.ty), format!("{}Edit", words.ty)].contains(&choice)
            {
                return Err(Failure::usage(format!(
                    "The choice `{}` would be called `{choice}`, as something else is: give the field another name.",
                    field.name
                )));
            }
        }
        Ok(Self {
            plural_given: plural.is_some(),
            owner: owner(&words)?,
            words,
            fields,
        })
    }

    /// The words that make it again.
    pub(super) fn command(&self) -> String {
        let mut words = vec![
            "palisade generate resource".to_owned(),
            self.words.one.clone(),
        ];
        words.extend(self.fields.iter().map(Field::word));
        if self.plural_given {
            words.push(format!("--plural {}", self.words.many));
        }
        words.push(self.owner.flag());
        words.join(" ")
    }

    pub(super) fn module_file(&self) -> String {
        format!("src/{}.rs", self.words.many)
    }

    pub(super) fn test_file(&self) -> String {
        format!("tests/api/{}.rs", self.words.many)
    }

    pub(super) fn routes(&self) -> String {
        format!("{}::routes()", self.words.many)
    }

    /// Who may change what belongs to nobody.
    pub(super) fn role(&self) -> Option<String> {
        match self.owner {
            Owner::Account => None,
            Owner::Nobody(_) => Some(format!("{}::role()", self.words.many)),
        }
    }

    fn role_name(&self) -> String {
        format!("{}-manager", self.words.one.replace('_', "-"))
    }

    fn manages(&self) -> String {
        use heck::ToUpperCamelCase as _;
        self.words.many.to_upper_camel_case()
    }

    /// What there is to do in this service.
    pub(crate) fn plan(&self, service: &Service) -> Result<Plan, Failure> {
        let many = &self.words.many;
        let main = Source::read(MAIN, service.read_needed(MAIN)?)?;
        let tests = Source::read(TESTS, service.read_needed(TESTS)?)?;
        has_helpers(&tests)?;
        if service.path(&format!("src/{many}")).join("mod.rs").exists() {
            return Err(Failure::other(format!(
                "`src/{many}/mod.rs` is the module `{many}` already: choose another name, or say `--plural`. Nothing was written."
            )));
        }
        let app = App::of(&main, &format!(".routes({})", self.routes()))?;
        let folder = app.migrations().unwrap_or_else(|| "migrations".to_owned());

        let mut plan = Plan::default();
        plan.write(service, &migration(service, &folder, many), self.table())?;
        plan.write(service, &self.module_file(), self.module()?)?;
        plan.write(service, &self.test_file(), self.tests()?)?;

        let migrations = app
            .migrations()
            .is_none()
            .then(|| app.call("migrations", &format!("migrations!(\"{folder}\")"), &[]));
        let role = self
            .role()
            .and_then(|role| app.call("role", &role, &["role", "migrations"]));
        let routes = app.call("routes", &self.routes(), &["routes", "role", "migrations"]);
        let module = main.declare(many)?;
        let edits = [module, migrations.flatten(), role, routes];
        plan.change(
            MAIN,
            main.text().to_owned(),
            main.with(edits.into_iter().flatten().collect()),
        );
        let module = tests.declare(many)?;
        plan.change(
            TESTS,
            tests.text().to_owned(),
            tests.with(module.into_iter().collect()),
        );
        Ok(plan)
    }

    /// What its owner may do next.
    pub(super) fn next(&self) -> String {
        let many = &self.words.many;
        let mut next = format!("Try it: `cargo test {many}`, and `cargo run -- routes`.");
        if self.role().is_some() {
            next += &format!(
                "\nWho has the role `{}` may make, change and delete them.",
                self.role_name()
            );
        }
        next
    }

    fn is_owned(&self) -> bool {
        matches!(self.owner, Owner::Account)
    }
}

/// The file of this table: the one that is there, or the next one.
pub(super) fn migration(service: &Service, folder: &str, name: &str) -> String {
    let files = service.files(folder);
    let numbered = |file: &String| {
        let (number, rest) = file.strip_suffix(".sql")?.split_once('_')?;
        Some((number.parse::<u32>().ok()?, rest.to_owned()))
    };
    if let Some(there) = files
        .iter()
        .find(|file| numbered(file).is_some_and(|(_, rest)| rest == name))
    {
        return format!("{folder}/{there}");
    }
    let last = files
        .iter()
        .filter_map(numbered)
        .map(|(number, _)| number)
        .max();
    format!("{folder}/{:04}_{name}.sql", last.unwrap_or(0) + 1)
}

/// The tests use what `palisade new` wrote beside them.
fn has_helpers(tests: &Source) -> Result<(), Failure> {
    let signs_in = tests.file.items.iter().any(|item| {
        matches!(item, syn::Item::Fn(function) if function.sig.ident == "sign_in" && function.sig.inputs.len() == 2)
    });
    if signs_in && tests.module("server").is_some() {
        return Ok(());
    }
    Err(Failure::other(format!(
        "`{TESTS}` lacks `mod server;` or `fn sign_in(server: &Server, email: &str) -> String`, which the tests call: put them back as `palisade new` writes them. Nothing was written."
    )))
}
