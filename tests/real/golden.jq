# golden.jq - from profmig plan --json: which values of a hive become what
# Values that arrive, one a line; those that a rule drops, and those that none
# names, counted by key.  Names that are hashes, or a person's own, are masked.
def mask: if test("^[0-9A-Fa-f]{32,}$") then "<hash>"
	elif test("^[{][0-9A-Fa-f-]{36}[}]$") then "<guid>" else . end;
def key: .key | split("\\") | map(mask) | join("\\");
def name: .name | mask;
def top: .key | split("\\") | .[0:3] | map(mask) | join("\\");
[.people[0].values[]] as $all |
($all | map(select(.outcome != "dropped") |
	[.outcome, .rule, key, name, (if .["to-key"] != .key or
	 .["to-name"] != .name then .["to-key"] + ": " + .["to-name"] else "" end)]
	| @tsv) | sort | .[]),
($all | map(select(.outcome == "dropped")) |
	group_by([.rule // "-", top]) |
	map(["dropped", .[0].rule // "-", (.[0] | top), "\(length) values"] | @tsv) | .[])
