//! What a schema consists of. Absent, false and empty mean the usual and aren't written.
//!
//! Names of the schema's own objects stand unqualified in every definition, all others qualified.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::change::quoted;

/// The format of the text written here.
pub const FORMAT: u8 = 1;

/// Objects by name, unquoted.
pub type Named<T> = BTreeMap<String, T>;

/// Privileges of others than the owner: `SELECT TO app`, `USAGE TO public WITH GRANT OPTION`.
pub type Grants = BTreeSet<String>;

/// What an object is within one database, whatever it is called. No part of the canonical text.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The object's OID.
    pub object: u32,
    /// The column's number; 0 for the object itself.
    #[serde(default)]
    pub number: i32,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

macro_rules! described {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "is_default")] pub $field: $type,)*
        }
    )*};
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $first:ident = $first_word:literal, $($variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            #[doc = $first_word]
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $(#[doc = $word] #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// The word, as the text has it.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }
        }
    )*};
}

words! {
    /// What kind of relation it is.
    RelationKind {
        Table = "table",
        PartitionedTable = "partitioned table",
        ForeignTable = "foreign table",
        View = "view",
        MaterializedView = "materialized view",
        CompositeType = "composite type",
    }
    /// What kind of constraint it is.
    ConstraintKind {
        Check = "check",
        Unique = "unique",
        PrimaryKey = "primary key",
        ForeignKey = "foreign key",
        Exclusion = "exclusion",
    }
    /// What kind of routine it is.
    FunctionKind {
        Function = "function",
        Procedure = "procedure",
        Aggregate = "aggregate",
        Window = "window function",
    }
    /// What kind of type it is.
    TypeKind {
        Enum = "enum",
        Domain = "domain",
        Range = "range type",
    }
}

impl RelationKind {
    /// Whether rows are written to it as to a table.
    pub fn is_table(self) -> bool {
        matches!(
            self,
            Self::Table | Self::PartitionedTable | Self::ForeignTable
        )
    }

    /// Whether its rows live in this database and nowhere else.
    pub fn holds_rows(self) -> bool {
        matches!(self, Self::Table | Self::PartitionedTable)
    }
}

described! {
    /// A schema.
    Schema {
        /// Always [`FORMAT`]; [`crate::catalog::canonical`] writes and checks it.
        format: u8,
        /// The role it belongs to.
        owner: String,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it.
        grants: Grants,
        /// What is granted on objects made later: `for owner on tables: SELECT TO app`.
        default_privileges: BTreeSet<String>,
        /// Tables, views, composite types.
        relations: Named<Relation>,
        /// Sequences.
        sequences: Named<Sequence>,
        /// Functions and procedures, by name and input types.
        functions: Named<Function>,
        /// Enums, domains, ranges.
        types: Named<DataType>,
        /// All else, by kind and name: operators, collations, statistics, extensions.
        others: Named<Other>,
        /// What it is in this database.
        identity: Option<Identity>,
        /// Its name, where its own objects are named with it like all others. No part of the canonical
        /// text; models compare with each other only if both have it or neither has.
        qualified_as: Option<String>,
    }
    /// Anything with columns.
    Relation {
        /// What it is.
        kind: RelationKind,
        /// The role it belongs to.
        owner: String,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it.
        grants: Grants,
        /// Its columns.
        columns: Named<Column>,
        /// Its constraints, those that a partition has from its root left out.
        constraints: Named<Constraint>,
        /// Its indexes, those of constraints left out.
        indexes: Named<Index>,
        /// Its triggers.
        triggers: Named<Trigger>,
        /// Its rules.
        rules: Named<Rule>,
        /// Its policies.
        policies: Named<Policy>,
        /// The query of a view.
        definition: Option<String>,
        /// A materialized view that holds no rows yet.
        unpopulated: bool,
        /// A view through which rows can be inserted, updated and deleted.
        updatable: bool,
        /// Which of `insert`, `update` and `delete` a view takes, where it isn't all of them.
        partly_updatable: BTreeSet<String>,
        /// Its rows don't survive a crash.
        unlogged: bool,
        /// Storage parameters, options of a view or foreign table.
        options: BTreeSet<String>,
        /// The access method, where it isn't heap.
        access_method: Option<String>,
        /// The tablespace, where it was chosen.
        tablespace: Option<String>,
        /// The index that its rows are put in the order of.
        clustered_on: Option<String>,
        /// How a partitioned table is partitioned.
        partition_key: Option<String>,
        /// The table it is a partition of.
        partition_of: Option<String>,
        /// The rows it takes as a partition.
        partition_bound: Option<String>,
        /// The tables it inherits from, in order.
        inherits: Vec<String>,
        /// The composite type it is made from.
        of_type: Option<String>,
        /// The server of a foreign table.
        server: Option<String>,
        /// What names a row in replication, where it isn't the primary key.
        replica_identity: Option<String>,
        /// Row-level security is on.
        row_security: bool,
        /// Row-level security is on for the owner too.
        force_row_security: bool,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A column, or an attribute of a composite type.
    Column {
        /// Its type with modifiers.
        r#type: String,
        /// What its type is in this database, whatever that is called. No part of the canonical text.
        type_identity: Option<u32>,
        /// Its collation, where it isn't the type's.
        collation: Option<String>,
        /// NULL is refused.
        not_null: bool,
        /// Its default.
        default: Option<String>,
        /// `always` or `by default`, for an identity column.
        identity_kind: Option<String>,
        /// The expression of a generated column.
        generated: Option<String>,
        /// A column of a view that rows can be written through, but not this column.
        readonly: bool,
        /// A generated column that is computed when read.
        virtual_column: bool,
        /// How it is stored, where it isn't the type's way.
        storage: Option<String>,
        /// How it is compressed, where that was chosen.
        compression: Option<String>,
        /// The statistics target, where it was chosen.
        statistics: Option<i32>,
        /// Options of the column.
        options: BTreeSet<String>,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it, besides those who may with the table.
        grants: Grants,
        /// Its place among the columns, counted from 1: information, no part of the canonical text.
        position: Option<i32>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A constraint of a table or a domain.
    Constraint {
        /// What it is.
        kind: ConstraintKind,
        /// What stands behind `CONSTRAINT name`, without NOT VALID.
        definition: String,
        /// Its columns, in order.
        columns: Vec<String>,
        /// Rows that were there before it haven't been checked.
        not_valid: bool,
        /// Storage parameters of its index.
        options: BTreeSet<String>,
        /// The tablespace of its index, where it was chosen.
        tablespace: Option<String>,
        /// The comment on its index.
        index_comment: Option<String>,
        /// Its comment.
        comment: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// An index.
    Index {
        /// What stands behind `ON table`.
        definition: String,
        /// Its key columns or expressions, in order.
        columns: Vec<String>,
        /// The condition of a partial index.
        predicate: Option<String>,
        /// No two rows may be equal in it.
        unique: bool,
        /// Neither may two that are NULL.
        nulls_not_distinct: bool,
        /// A build that failed half-way.
        invalid: bool,
        /// The tablespace, where it was chosen.
        tablespace: Option<String>,
        /// The statistics targets of its expressions by place, `1=500`, where they were chosen.
        statistics: BTreeSet<String>,
        /// Its comment.
        comment: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A trigger.
    Trigger {
        /// What stands behind its name.
        definition: String,
        /// `disabled`, `replica` or `always`, where it isn't the usual.
        enabled: Option<String>,
        /// Its comment.
        comment: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A rule.
    Rule {
        /// What stands behind `ON`.
        definition: String,
        /// `disabled`, `replica` or `always`, where it isn't the usual.
        enabled: Option<String>,
        /// Its comment.
        comment: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A policy of row-level security.
    Policy {
        /// `all`, `select`, `insert`, `update` or `delete`.
        command: String,
        /// It takes rows away instead of giving them.
        restrictive: bool,
        /// Whom it is for.
        roles: BTreeSet<String>,
        /// Which rows are seen.
        using: Option<String>,
        /// Which rows may be written.
        with_check: Option<String>,
        /// Its comment.
        comment: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A sequence: how it counts, not where it is.
    Sequence {
        /// The role it belongs to.
        owner: String,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it.
        grants: Grants,
        /// Its type.
        r#type: String,
        /// Where it starts.
        start: String,
        /// By how much it counts.
        increment: String,
        /// Its lowest value.
        minimum: String,
        /// Its highest value.
        maximum: String,
        /// How many values are taken at a time.
        cache: String,
        /// It begins again at its end.
        cycle: bool,
        /// The column it lives and dies with.
        owned_by: Option<String>,
        /// It is that of an identity column.
        internal: bool,
        /// Its values don't survive a crash.
        unlogged: bool,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// A function, procedure, aggregate or window function.
    Function {
        /// What it is.
        kind: FunctionKind,
        /// Its name alone.
        name: String,
        /// The role it belongs to.
        owner: String,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it.
        grants: Grants,
        /// Its arguments as declared: modes, names, types, defaults.
        arguments: String,
        /// The types of its input arguments.
        input_types: Vec<String>,
        /// Their names; empty for one without a name.
        input_names: Vec<String>,
        /// The names and types of its output arguments and of the columns it returns.
        outputs: Vec<String>,
        /// How many of the last input arguments have defaults.
        defaults: i32,
        /// Its last argument takes any number of values.
        variadic: bool,
        /// What it returns.
        result: Option<String>,
        /// Its language.
        language: String,
        /// `immutable` or `stable`, where it isn't volatile.
        volatility: Option<String>,
        /// It runs with its owner's rights.
        security_definer: bool,
        /// A NULL argument gives NULL.
        strict: bool,
        /// It tells nothing about its arguments.
        leakproof: bool,
        /// `safe` or `restricted`, where it isn't unsafe.
        parallel: Option<String>,
        /// Its body, or the functions an aggregate is made of.
        body: String,
        /// Settings it runs under.
        config: Vec<String>,
        /// The function that tells the planner about it.
        support: Option<String>,
        /// The types that are converted for its language.
        transforms: Vec<String>,
        /// Estimated cost.
        cost: Option<String>,
        /// Estimated number of rows.
        rows: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// An enum, a domain or a range.
    DataType {
        /// What it is.
        kind: TypeKind,
        /// The role it belongs to.
        owner: String,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it.
        grants: Grants,
        /// The values of an enum, in order.
        labels: Vec<String>,
        /// What those values are in this database, in the same order. No part of the canonical text.
        label_identities: Vec<u32>,
        /// The type a domain narrows, with modifiers.
        base: Option<String>,
        /// The collation of a domain, where it isn't the type's.
        collation: Option<String>,
        /// A domain that refuses NULL.
        not_null: bool,
        /// The default of a domain.
        default: Option<String>,
        /// The checks of a domain.
        constraints: Named<Constraint>,
        /// What a range is made of.
        definition: Option<String>,
        /// What it is in this database.
        identity: Option<Identity>,
    }
    /// An object that is only compared as a whole.
    Other {
        /// What it is: `operator`, `collation`, `statistics` …
        kind: String,
        /// Its definition.
        definition: String,
        /// The role it belongs to.
        owner: Option<String>,
        /// Its comment.
        comment: Option<String>,
        /// Who may do what with it.
        grants: Grants,
        /// What it is in this database.
        identity: Option<Identity>,
    }
}

impl Schema {
    /// The name of one of its own objects, from how a definition names it; `None` for another's object.
    pub fn own_name(&self, printed: &str) -> Option<String> {
        let name = match &self.qualified_as {
            Some(schema) => printed.strip_prefix(&format!("{}.", quoted(schema)))?,
            None => printed,
        };
        Some(
            match name
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(inner) => inner.replace("\"\"", "\""),
                None => name.to_owned(),
            },
        )
    }

    /// How definitions name one of its own objects.
    pub fn printed_name(&self, name: &str) -> String {
        match &self.qualified_as {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(name)),
            None => quoted(name),
        }
    }

    /// What a column of that type holds: a domain's base, else the type itself.
    pub fn base_of<'a>(&'a self, printed: &'a str) -> &'a str {
        let base = self
            .own_type(printed)
            .and_then(|domain| domain.base.as_deref());
        base.unwrap_or(printed)
    }

    /// The enum, domain or range of that name, if it is one of its own.
    pub fn own_type(&self, printed: &str) -> Option<&DataType> {
        self.types.get(&self.own_name(printed)?)
    }
}

impl Column {
    /// Whether both are of one type with the same modifiers, whatever the type is called.
    pub fn has_type_of(&self, other: &Self) -> bool {
        // `timestamp(0) with time zone`: the modifiers may stand in the middle.
        let base = |column: &Self| match column.r#type.split_once('(') {
            Some((name, rest)) => {
                let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
                format!("{name}{rest}")
            }
            None => column.r#type.clone(),
        };
        self.r#type == other.r#type
            || (self.type_identity.is_some()
                && self.type_identity == other.type_identity
                && base(self) != base(other))
    }
}
