package demo

// The words of a frame in braces are filled from the prompt; a frame is skipped when one of them is
// unknown. A topic can be singular or plural: no verb may depend on it.
var (
	general = []string{"scope", "suppliers", "first users", "permits", "quality checks", "weekly schedule", "handover", "team"}

	aspects = []string{
		"plan", "budget", "schedule", "sourcing", "permits", "staffing", "quality", "safety", "pilot", "handover", "maintenance",
		"partners", "communication", "scope", "review", "testing", "training", "logistics", "documentation", "supply", "priorities", "standards",
	}

	roles = []string{
		"project lead", "operations manager", "finance officer", "procurement lead", "quality manager", "legal adviser", "communications lead",
		"safety officer", "site coordinator", "technical lead", "partnership manager", "training coordinator", "schedule planner", "risk owner",
	}

	statements = []string{
		"The plan for {subject} treats {topic} as a decision of its own and ties it to {other}.",
		"Work on {topic} begins before work on {other}, because the second rests on the first.",
		"The {role} keeps one list of open points about {topic} and goes through it every week.",
		"For {subject}, the choice about {topic} decides how much room is left for {other}.",
		"A small trial of {topic} comes first; its result says how far to go with {other}.",
		"Near {place}, {topic} can be looked at on site before any contract is signed.",
		"Of the {money} in the request, the share for {topic} is fixed before the share for {other}.",
		"Within {span}, work on {topic} has to reach a state that others can check.",
		"What the request says about {topic} stands; everything about {other} is planned around it.",
	}
	risky = []string{
		"If work on {topic} begins later than planned, work on {other} has to wait and the start of {subject} slips.",
		"Too little attention to {topic} leads to repeated work on {other}.",
		"When nobody is named for {topic}, decisions about {other} are made twice or not at all.",
		"The effort for {topic} is guessed too low, and {subject} loses its reserve early.",
		"Rules for {topic} near {place} may differ from what is assumed, which delays {other}.",
		"Spending on {topic} can use up more of the {money} than planned and leave too little for {other}.",
		"A single source for {topic} is a weak point: when it fails, all work on {other} stops.",
	}
	actions = []string{
		"Name one person for {topic} and agree on the first check in week {week}.",
		"The {role} asks two independent sources about {topic} and writes down what differs.",
		"Test {topic} on a small scale before anything for {other} is ordered.",
		"Write a one-page note on {topic}, with limits that stop the work when they are passed.",
		"Visit {place} to see {topic} at first hand and record what is missing.",
		"Set aside a part of the {money} for {topic} until decisions on {other} are made.",
		"Hold a short review of {topic} with those who depend on {other}.",
		"Order {topic} in stages, so that {other} can change what comes later.",
	}
	reasons = []string{
		"The choice about {topic} has to come early, since it decides about {other}.",
		"The request names {topic} outright, so it weighs more than {other}.",
		"For {subject}, an error about {topic} costs more than one about {other}.",
		"It keeps {topic} open to change until more is known about {other}.",
		"The link between {topic} and {other} is easy to overlook and hard to mend later.",
		"With {money} in hand, clarity about {topic} matters before money is bound.",
		"{Place} sets the frame for {topic}, and that cannot be changed by the team.",
	}
	goals = []string{
		"By week {week}, {topic} can be shown to work for those who depend on {other}.",
		"It is taken as given that {topic} can be had in the amount that {subject} needs.",
		"The team can decide about {topic} without waiting for {other}.",
		"{Topic} and {other} are ready in the order that the schedule gives them.",
		"People near {place} accept the plans for {topic} when they are explained in good time.",
		"There is enough in the {money} for {topic}, {other} and a reserve.",
		"Within {span}, {subject} has a first result that outsiders can judge.",
	}
	questions = []string{
		"Who decides about {topic} when work on {other} is late?",
		"What is the smallest trial that would show whether the idea of {topic} holds?",
		"Which part of {topic} cannot be changed once work on {other} has begun?",
		"How will {subject} notice early that work on {topic} goes wrong?",
		"What share of the {money} may go into {topic}?",
		"Which rules in {place} apply to {topic}?",
		"What does {subject} lose without {topic}?",
	}
	options = []string{
		"Start small with {topic} and extend that once trials of {other} are done.",
		"Bring {topic} in from a partner and keep {other} in own hands.",
		"Do {topic} and {other} at the same time, with a reserve for errors.",
		"Keep {topic} for a second phase and put all effort into {other}.",
		"Build on what {place} already has for {topic}.",
		"Split the {money} evenly between {topic} and {other}.",
		"Make {topic} the strong side of {subject}, even at the cost of {other}.",
	}
	measures = []string{
		"Open points about {topic} that are older than a week",
		"Share of checks on {topic} passed at the first try",
		"Days between a question about {topic} and its answer",
		"Number of changes to {topic} after work on {other} has begun",
		"Money bound for {topic} against its part of the budget",
		"People who rely on {topic} and are content",
	}
	costs = []string{
		"A part of {money} that is set when offers for {topic} are in",
		"Open until two offers for {topic} in {currency} are in",
		"Mostly working time; material for {topic} comes on top, in {currency}",
		"Paid from the reserve as long as work on {topic} stays small",
	}
	times = []string{
		"Week {week}, after {topic}", "Within {span}, once decisions on {topic} are made", "Every week while questions about {topic} are open",
		"Before work on {topic} begins", "In the first month, with {topic}", "At the end of the phase for {topic}",
	}
	things = []string{
		"Records and samples for {topic}", "A place to work on {topic}", "Tools for {topic} and for {other}",
		"A shared list for {topic}", "Advice on {topic} from outside", "Material for {topic}", "Access to those who know {topic}",
	}
	names  = []string{"{Topic} {aspect}", "{Topic}: {aspect}", "{Aspect} for {topic}", "{Aspect} of {topic}", "{Topic} and {other}"}
	sites  = []string{"{Place}", "A site that suits {topic}", "{Place}, close to {topic}"}
	people = []string{"{Role}", "{Role}", "{Role} for {topic}"}
)

// styles are looked through in this order.
var styles = []style{
	{words: []string{"question"}, frames: questions},
	{words: []string{"mitigation", "action", "recommendation", "step", "playbook", "response", "contingency", "plan", "approach", "responsibility", "responsibilities",
		"improvement", "procedure", "answer", "solution", "fallback", "adaptation", "process", "mechanism", "alternative", "validation", "activities", "call", "rule"}, frames: actions},
	{words: []string{"risk", "threat", "weakness", "weaknesses", "consequence", "impact", "failure", "conflict", "cause", "challenge", "omission", "downside", "scenario",
		"objection", "tension", "effect", "corruption", "issue", "analysis", "having"}, frames: risky},
	{words: []string{"rationale", "justification", "why", "reason", "explanation", "evidence", "logic", "works", "assessment", "review", "note", "thesis", "consideration"}, frames: reasons},
	{words: []string{"assumption", "statement", "goal", "objective", "measurable", "achievable", "relevant", "specific", "bound", "vision", "outcome", "purpose", "requirement", "hypothesis"}, frames: goals},
	{words: []string{"option", "strength", "opportunity", "opportunities", "benefit", "setting"}, frames: options},
	{words: []string{"metric", "indicator", "sign", "tripwire", "trigger", "falsifier", "kpi", "measure"}, frames: measures, short: true},
	{words: []string{"cost", "budget", "price", "funding"}, frames: costs, short: true},
	{words: []string{"time", "timeframe", "frequency", "cadence", "deadline", "duration", "timing", "recency"}, frames: times, short: true},
	{words: []string{"resource", "equipment", "facility", "needs", "tool", "material", "template", "deliverable", "item", "platform", "permit", "license", "document"}, frames: things, short: true},
	{words: []string{"location", "place", "broad", "detailed", "site", "address", "city", "country"}, frames: sites, short: true, repeat: true},
	{words: []string{"role", "owner", "body", "party", "parties", "member", "membership", "stakeholder", "responsible", "authority", "authorities", "expert", "person", "people", "team", "audience"}, frames: people, short: true, repeat: true},
	{words: []string{"subject"}, frames: []string{"{Subject}"}, short: true, repeat: true},
	{words: []string{"name", "title", "topic", "area", "category", "theme", "label", "headline", "tag", "skill", "keyword", "domain", "archetype", "task", "subtask"}, frames: names, short: true},
	{words: []string{"currency", "date", "url", "link"}, short: true, repeat: true, frames: []string{"{Subject}"}},
	{words: []string{"id", "ids"}, short: true, repeat: true, frames: []string{"{Subject}"}},
}
