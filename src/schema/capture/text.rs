//! Definitions as the server prints them, without what the model has elsewhere.

/// What follows a word that stands outside quotes, the word included; the whole where there is none.
fn from_word<'a>(text: &'a str, word: &str) -> &'a str {
    let mut quote = None;
    for (place, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None => {
                let rest = text.get(place..).unwrap_or_default();
                if rest.starts_with(word) {
                    return rest;
                }
            }
        }
    }
    text
}

/// `CREATE UNIQUE INDEX name ON table USING btree (id)` → `USING btree (id)`.
pub fn of_index(definition: &str) -> String {
    from_word(definition, " USING ").trim_start().to_owned()
}

/// `CHECK (a > 0) NOT VALID` → `CHECK (a > 0)`.
pub fn of_constraint(definition: &str) -> String {
    definition
        .strip_suffix(" NOT VALID")
        .unwrap_or(definition)
        .to_owned()
}

/// `CREATE TRIGGER name BEFORE …` → `BEFORE …`.
pub fn of_trigger(definition: &str) -> String {
    let (start, kind) = match definition.strip_prefix("CREATE CONSTRAINT TRIGGER ") {
        Some(rest) => (rest, "CONSTRAINT "),
        None => (
            definition
                .strip_prefix("CREATE TRIGGER ")
                .unwrap_or(definition),
            "",
        ),
    };
    format!("{kind}{}", from_word(start, " ").trim_start())
}

/// `CREATE RULE name AS ON DELETE …` → `ON DELETE …`.
pub fn of_rule(definition: &str) -> String {
    let rest = from_word(definition, " AS");
    rest.strip_prefix(" AS")
        .unwrap_or(rest)
        .trim_start()
        .to_owned()
}
