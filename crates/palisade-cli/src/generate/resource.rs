//! `palisade generate resource`: a migration, a module, tests, and the lines that name them.

use minijinja::{Environment, UndefinedBehavior, context, syntax::SyntaxConfig};

use super::app::App;
use super::field::{self, Field, OWNER};
use super::layout::{attribute, filled, list, signature, statement};
use super::owner::Owner;
use super::plan::Plan;
use super::sample;
use super::service::Service;
use super::source::Source;
use super::words::Words;
use crate::Failure;

pub(super) const MAIN: &str = "src/main.rs";
pub(super) const TESTS: &str = "tests/api/main.rs";

const MODULE: &str = include_str!("../../../../templates/generate/resource.rs.jinja");
const OWNED_TESTS: &str = include_str!("../../../../templates/generate/owned_tests.rs.jinja");
const UNOWNED_TESTS: &str = include_str!("../../../../templates/generate/unowned_tests.rs.jinja");

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

    /// The migration.
    pub(super) fn table(&self) -> String {
        let mut columns = vec!["id uuid primary key".to_owned()];
        if self.is_owned() {
            columns.push(format!(
                "{OWNER} uuid not null references palisade_accounts (id) on delete cascade"
            ));
        }
        columns.extend(self.fields.iter().map(Field::column));
        columns.push("created_at timestamptz not null".to_owned());
        let many = &self.words.many;
        let mut text = format!(
            "create table {many} (\n    {}\n);\n",
            columns.join(",\n    ")
        );
        if self.is_owned() {
            text += &format!("\ncreate index {many}_{OWNER} on {many} ({OWNER}, id);\n");
        }
        text
    }

    /// The module.
    pub(super) fn module(&self) -> Result<String, Failure> {
        let Words { one, many, ty } = &self.words;
        let owned = self.is_owned();
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|field| {
                context! {
                    name => &field.name,
                    rule => field.kind.rule(),
                    new => field.new_type(ty),
                    edit => field.edit_type(ty),
                    row => field.row_type(ty),
                }
            })
            .collect();
        let choices: Vec<_> = self
            .fields
            .iter()
            .filter(|field| !field.kind.variants().is_empty())
            .map(|field| {
                context! {
                    name => field.name.replace('_', " "),
                    ty => field.choice(ty),
                    variants => field.kind.variants(),
                    compared => field.optional,
                }
            })
            .collect();
        let owner = match &self.owner {
            Owner::Account => format!("owner = \"{OWNER}\""),
            Owner::Nobody(reason) => format!("unowned = \"{reason}\""),
        };
        let manages = format!("Manage{}", self.manages());
        let list = ["db: ReadDb".to_owned(), "page: PageRequest".to_owned()];
        let guard = |guard: &str, rest: &[String]| {
            let mut arguments = vec![guard.to_owned()];
            arguments.extend_from_slice(rest);
            arguments
        };
        let body = format!("Json(new): Json<New{ty}>");
        let (reader, maker) = if owned {
            ("user: SignedIn".to_owned(), "user: SignedIn".to_owned())
        } else {
            ("_: SignedIn".to_owned(), format!("_: Can<{manages}>"))
        };
        let can = |action: &str| format!("{one}: Can<{action}, {ty}>");
        let edit = [
            can("Edit"),
            "db: Db".to_owned(),
            format!("Json(edit): Json<{ty}Edit>"),
        ];
        render(
            MODULE,
            context! {
                one, many, ty, owned, fields, choices, manages,
                path => self.words.path(),
                a_one => self.words.a_one(),
                headline => self.words.headline(),
                command => self.command(),
                permission => format!("{many}.manage"),
                role => self.role_name(),
                resource => attribute("resource", &[format!("table = \"{many}\""), owner]),
                list => signature("list", &guard(&reader, &list), &format!("Result<Page<{ty}View>>")),
                create => signature("create", &guard(&maker, &["db: Db".to_owned(), body]), &format!("Result<Created<{ty}View>>")),
                show => signature("show", &[can("Read")], &format!("Result<Json<{ty}View>>")),
                edit => signature("edit", &edit, &format!("Result<Json<{ty}View>>")),
                remove => signature("remove", &[can("Delete"), "db: Db".to_owned()], "Result<NoContent>"),
                select => self.select(),
                insert => self.insert(),
                update => self.update(),
                delete => self.delete(),
            },
        )
    }

    /// The condition that finds the row, and its owner.
    fn condition(&self) -> String {
        let one = &self.words.one;
        if self.is_owned() {
            format!("where id = {{{one}}} and {OWNER} = {{{one}.{OWNER}}}")
        } else {
            format!("where id = {{{one}}}")
        }
    }

    fn select(&self) -> String {
        let Words { many, ty, .. } = &self.words;
        let before = format!("let {many}: Page<{ty}> = ");
        let select = format!("select * from {many}");
        let call = ".page(&page, &db)";
        if !self.is_owned() {
            return statement(&before, &[select], call);
        }
        let condition = format!("where {OWNER} = {{user.id}}");
        let one = format!("{select} {condition}");
        if 4 + before.len() + one.len() + 8 < 100 {
            statement(&before, &[one], call)
        } else {
            statement(&before, &[select, condition], call)
        }
    }

    fn insert(&self) -> String {
        let Words { one, many, ty } = &self.words;
        let mut columns = vec!["id".to_owned()];
        let mut values = vec![format!("{{Id::<{ty}>::new()}}")];
        if self.is_owned() {
            columns.push(OWNER.to_owned());
            values.push("{user.id}".to_owned());
        }
        for Field { name, .. } in &self.fields {
            columns.push(name.clone());
            values.push(format!("{{new.{name}}}"));
        }
        columns.push("created_at".to_owned());
        values.push("{Timestamp::now()}".to_owned());
        let mut lines = filled(&format!("insert into {many} ("), &columns, ")");
        lines.extend(filled("values (", &values, ")"));
        lines.push("returning *".to_owned());
        statement(&format!("let {one}: {ty} = "), &lines, ".one(&db)")
    }

    fn update(&self) -> String {
        let Words { one, many, ty } = &self.words;
        let assignments: Vec<_> = self.fields.iter().map(Field::assignment).collect();
        let head = format!("update {many} set ");
        let mut lines = filled(&head, &assignments, "");
        lines.push(format!("{} returning *", self.condition()));
        statement(&format!("let {one}: {ty} = "), &lines, ".one(&db)")
    }

    fn delete(&self) -> String {
        let many = &self.words.many;
        let one = format!("delete from {many} {}", self.condition());
        if one.len() + 12 < 100 {
            statement("", &[one], ".execute(&db)")
        } else {
            statement(
                "",
                &[format!("delete from {many}"), self.condition()],
                ".execute(&db)",
            )
        }
    }

    /// The tests.
    pub(super) fn tests(&self) -> Result<String, Failure> {
        let member = |field: &Field, value: String| format!("\"{}\": {value}", field.name);
        let first: Vec<_> = self
            .fields
            .iter()
            .map(|field| member(field, sample::first(field)))
            .collect();
        let second: Vec<_> = self
            .fields
            .iter()
            .map(|field| member(field, sample::second(field)))
            .collect();
        let broken: Vec<_> = self
            .fields
            .iter()
            .flat_map(|field| {
                let values = sample::broken(&field.kind).into_iter();
                values.map(move |value| format!("json!({{ {} }})", member(field, value)))
            })
            .collect();
        let names = |wanted: fn(&Field) -> bool| -> Vec<String> {
            self.fields
                .iter()
                .filter(|field| wanted(field))
                .map(|field| field.name.clone())
                .collect()
        };
        let rich = self
            .fields
            .iter()
            .filter(|field| matches!(field.kind, super::kind::Kind::RichText { max } if max >= 40));
        render(
            if self.is_owned() {
                OWNED_TESTS
            } else {
                UNOWNED_TESTS
            },
            context! {
                first, second,
                broken => list("vec!", &broken),
                path => self.words.path(),
                a_one => self.words.a_one(),
                headline => self.words.headline(),
                names => names(|_| true),
                required => names(|field| !field.optional),
                optional => names(|field| field.optional),
                rich => rich.map(|field| field.name.clone()).collect::<Vec<_>>(),
            },
        )
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

fn render(template: &str, values: minijinja::Value) -> Result<String, Failure> {
    let broken =
        |error: minijinja::Error| Failure::other(format!("A template is broken: {error:#}."));
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true);
    jinja.set_syntax(syntax.build().map_err(broken)?);
    jinja.render_str(template, values).map_err(broken)
}
