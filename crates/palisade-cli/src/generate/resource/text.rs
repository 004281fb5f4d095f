//! The texts of a resource: the table, the module, the tests.

use minijinja::{Environment, UndefinedBehavior, context, syntax::SyntaxConfig};

use super::Resource;
use crate::Failure;
use crate::generate::field::{Field, OWNER};
use crate::generate::kind::Kind;
use crate::generate::layout::{attribute, filled, list, signature, statement};
use crate::generate::owner::Owner;
use crate::generate::sample;
use crate::generate::words::Words;

const MODULE: &str = include_str!("../../../../../templates/generate/resource.rs.jinja");
const OWNED_TESTS: &str = include_str!("../../../../../templates/generate/owned_tests.rs.jinja");
const UNOWNED_TESTS: &str =
    include_str!("../../../../../templates/generate/unowned_tests.rs.jinja");

impl Resource {
    /// The migration.
    pub(in crate::generate) fn table(&self) -> String {
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
    pub(in crate::generate) fn module(&self) -> Result<String, Failure> {
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
            Owner::Account => format!("owner = \"{OWNER}\", export = {ty}View"),
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
    pub(in crate::generate) fn tests(&self) -> Result<String, Failure> {
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
            .filter(|field| matches!(field.kind, Kind::RichText { max } if max >= 40));
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
