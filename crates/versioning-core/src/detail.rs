//! What a statement says beyond its effects: how a column is filled, whether a constraint is checked at
//! once, what a function or a policy is like. A plan gets along without; a linter doesn't.

mod column;
mod trace;

pub use column::{Column, ColumnChange, Constraint, SERIAL_TYPES};
pub use trace::{Holder, Mark, Trace};

use crate::effect::{ObjectKind, ObjectName};
use crate::moving::Reading;
use crate::script::Statement;

/// A statement with all that its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The statement, with its effects.
    pub statement: Statement,
    /// What the effects leave out.
    pub details: Vec<Detail>,
}

/// What happens to a table that stays, as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange {
    /// Row level security on.
    RowSecurityOn,
    /// Row level security off.
    RowSecurityOff,
    /// For its owner too.
    RowSecurityForced,
    /// Not for its owner any more.
    RowSecurityUnforced,
    /// Another owner.
    Owner,
    /// Crash-safe from now on.
    Logged,
    /// Emptied by a crash from now on.
    Unlogged,
    /// Another table access method.
    AccessMethod,
    /// Another tablespace.
    Tablespace,
    /// What replication sends of an old row.
    ReplicaIdentity,
    /// A trigger fires no more.
    TriggerDisabled,
    /// A trigger fires again.
    TriggerEnabled,
    /// Its rows count among the parent's.
    Inherits(ObjectName),
    /// Its rows count among the parent's no more.
    InheritsNoMore(ObjectName),
    /// A partition is attached.
    PartitionAttached(ObjectName),
    /// A partition is detached.
    PartitionDetached(ObjectName),
    /// A constraint is checked on the rows that are there.
    ConstraintValidated(String),
    /// A constraint is deferrable, or no more.
    ConstraintAltered(String),
    /// A constraint gets another name.
    ConstraintRenamed(String, String),
    /// Options: no client sees it, and little is locked.
    Tuning,
    /// Anything else.
    Other,
}

/// The parts of a table that are dropped by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A trigger.
    Trigger,
    /// A policy.
    Policy,
    /// A rule.
    Rule,
}

/// What happens to an attribute of a composite type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeChange {
    /// It is new.
    Added,
    /// It goes.
    Dropped,
    /// It gets another type.
    TypeChanged,
    /// It gets another name.
    Renamed,
}

/// One more thing that a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A new table, as it is defined.
    NewTable {
        /// The table.
        table: ObjectName,
        /// Its columns, as far as they are listed.
        columns: Vec<Column>,
        /// Its constraints, those of columns too.
        constraints: Vec<Constraint>,
        /// The table that it is a partition of.
        partition_of: Option<ObjectName>,
        /// IF NOT EXISTS: it may be there already.
        if_not_exists: bool,
    },
    /// A new column of a table.
    NewColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: Column,
    },
    /// A new constraint of a table (that of a new column comes with the column).
    NewConstraint {
        /// The table.
        table: ObjectName,
        /// The constraint.
        constraint: Constraint,
    },
    /// A change to a column.
    AlterColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// The change.
        change: ColumnChange,
    },
    /// A change to a table.
    AlterTable {
        /// The table.
        table: ObjectName,
        /// The change.
        change: TableChange,
    },
    /// A new index.
    NewIndex {
        /// Its name, when the script gave one.
        name: Option<String>,
        /// The table.
        table: ObjectName,
        /// Whether it is unique.
        unique: bool,
        /// Its columns; `None` for an expression.
        columns: Vec<Option<String>>,
        /// The operator classes that the script named without a schema.
        classes: Vec<String>,
    },
    /// An index is built again, or a table sorted by one.
    Rebuild {
        /// The index or the table.
        name: ObjectName,
        /// Whether it is a table that is written anew.
        rewrites: bool,
    },
    /// A part of a table goes.
    DropPart {
        /// Its kind.
        kind: PartKind,
        /// Its name.
        name: String,
        /// The table.
        table: ObjectName,
    },
    /// A view or materialized view.
    NewView {
        /// The view.
        view: ObjectName,
        /// OR REPLACE.
        replaces: bool,
        /// Whether it is a materialized one.
        materialized: bool,
        /// WITH CHECK OPTION.
        check_option: bool,
        /// Whether it goes away with the session.
        temporary: bool,
    },
    /// A materialized view is filled, or emptied.
    Refresh {
        /// The view.
        view: ObjectName,
        /// CONCURRENTLY.
        concurrently: bool,
        /// WITH NO DATA.
        empties: bool,
    },
    /// A function or procedure.
    NewFunction {
        /// Its name.
        name: ObjectName,
        /// The types of its arguments.
        arguments: Vec<String>,
        /// OR REPLACE.
        replaces: bool,
        /// SECURITY DEFINER.
        security_definer: bool,
        /// Whether it sets its own search_path.
        fixed_search_path: bool,
    },
    /// A function or procedure changes.
    AlterFunction {
        /// Its name.
        name: ObjectName,
        /// It becomes SECURITY DEFINER.
        security_definer: bool,
        /// It gets its own search_path.
        fixed_search_path: bool,
        /// What is set: `volatility`, `strict`, `cost` …
        options: Vec<String>,
    },
    /// The types of the arguments of a function that is dropped.
    DropFunction {
        /// Its name.
        name: ObjectName,
        /// The types of its arguments; `None` when the script names none.
        arguments: Option<Vec<String>>,
    },
    /// A trigger.
    NewTrigger {
        /// Its name.
        name: String,
        /// The table.
        table: ObjectName,
    },
    /// A rule.
    NewRule {
        /// Its name.
        name: String,
        /// The table.
        table: ObjectName,
    },
    /// A policy.
    NewPolicy {
        /// Its name.
        name: String,
        /// The table.
        table: ObjectName,
        /// AS RESTRICTIVE: it takes rows away.
        restrictive: bool,
    },
    /// A policy changes.
    AlterPolicy {
        /// Its name.
        name: String,
        /// The table.
        table: ObjectName,
    },
    /// A new object of another kind.
    NewObject {
        /// Its kind.
        kind: ObjectKind,
        /// Its name.
        name: ObjectName,
    },
    /// A new domain.
    NewDomain {
        /// The domain.
        domain: ObjectName,
        /// The type below it.
        base: Column,
    },
    /// A domain refuses more values.
    DomainNarrowed {
        /// The domain.
        domain: ObjectName,
        /// NOT VALID: the values that are there aren't looked at.
        not_valid: bool,
    },
    /// An extension is installed.
    NewExtension {
        /// The extension.
        name: String,
        /// Whether the script says in which schema.
        has_schema: bool,
    },
    /// An event trigger, which fires on the DDL of everybody.
    NewEventTrigger {
        /// Its name.
        name: String,
    },
    /// An enum type gets a value.
    EnumValueAdded {
        /// The type.
        type_name: ObjectName,
        /// The value.
        value: String,
    },
    /// A value of an enum type gets another name.
    EnumValueRenamed {
        /// The type.
        type_name: ObjectName,
        /// The value.
        value: String,
        /// Its new name.
        new_value: String,
    },
    /// An attribute of a composite type changes.
    Attribute {
        /// The type.
        type_name: ObjectName,
        /// The attribute.
        attribute: String,
        /// How.
        change: AttributeChange,
    },
    /// A sequence changes.
    AlterSequence {
        /// The sequence.
        sequence: ObjectName,
        /// RESTART.
        restarts: bool,
    },
    /// Rights are given.
    Grant {
        /// On what.
        object: String,
        /// To everybody.
        to_public: bool,
    },
    /// Rights are taken.
    Revoke {
        /// On what.
        object: String,
    },
    /// An object that is no table moves to another schema.
    MovedObject {
        /// Its kind.
        kind: ObjectKind,
        /// Its name.
        name: ObjectName,
    },
    /// An object that is no table gets another owner.
    OwnerChanged {
        /// The object.
        object: String,
    },
    /// Something that belongs to the whole server or database changes.
    ClusterWide {
        /// The command.
        command: String,
    },
    /// A setting changes.
    Setting {
        /// Its name.
        name: String,
        /// SET LOCAL.
        local: bool,
    },
    /// A lock is taken by name.
    Lock {
        /// The tables.
        tables: Vec<ObjectName>,
        /// Its mode, as PostgreSQL numbers it.
        mode: i32,
    },
    /// Rows go to or come from a file or program on the server.
    ServerCopy {
        /// The command, such as `COPY TO PROGRAM`.
        command: String,
        /// Whether it leaves something outside the database.
        writes_outside: bool,
    },
    /// Rows are written; what WHERE says of UPDATE and DELETE is with the effects.
    Insert {
        /// The table.
        table: ObjectName,
        /// Whether a query says how many.
        from_query: bool,
    },
    /// Functions that a query calls.
    Calls {
        /// Their names.
        functions: Vec<ObjectName>,
    },
    /// Everything that roles own goes.
    DropOwned {
        /// The roles.
        roles: Vec<String>,
    },
    /// TRUNCATE … RESTART IDENTITY.
    RestartIdentity,
    /// A setting with which sessions of a role or database begin changes.
    DefaultSetting {
        /// The command, such as `ALTER ROLE`.
        command: String,
        /// Its name.
        name: String,
    },
    /// What a down script has to put back.
    Trace(Trace),
    /// Tables and columns whose values are read.
    Reads(Reading),
}
