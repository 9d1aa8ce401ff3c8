package plan

// The artifacts of a run, in the contract's order. A handle with a type is read as data by later steps.
var (
	StartTime             = JSON[Start]{File{Name: "001-1-start_time.json", Label: "start_time", Title: "Start time"}}
	Prompt                = File{Name: "001-2-plan.txt", Label: "prompt", Title: "Initial prompt"}
	RedlineVerdict        = JSON[Redline]{File{Name: "002-1-redline_gate.json", Label: "redline_verdict", Title: "Redline verdict"}}
	RedlinePage           = File{Name: "002-2-redline_gate.md", Label: "redline", Title: "Redline gate"}
	PremiseAttackRaw      = File{Name: "002-3-premise_attack.json", Label: "premise_attack_raw", Title: "Premise attack, raw"}
	PremiseAttack         = File{Name: "002-4-premise_attack.md", Label: "premise_attack", Title: "Premise attack"}
	PurposeRaw            = JSON[Purpose]{File{Name: "002-5-identify_purpose_raw.json", Label: "purpose_raw", Title: "Purpose, raw"}}
	PurposePage           = File{Name: "002-6-identify_purpose.md", Label: "purpose", Title: "Purpose"}
	PlanTypeRaw           = JSON[PlanType]{File{Name: "002-7-plan_type_raw.json", Label: "plan_type_raw", Title: "Plan type, raw"}}
	PlanTypePage          = File{Name: "002-8-plan_type.md", Label: "plan_type", Title: "Plan type"}
	PotentialLeversRaw    = File{Name: "002-9-potential_levers_raw.json", Label: "potential_levers_raw", Title: "Potential levers, raw"}
	PotentialLevers       = JSON[[]Lever]{File{Name: "002-10-potential_levers.json", Label: "potential_levers", Title: "Potential levers"}}
	DeduplicatedLevers    = JSON[Deduplicated]{File{Name: "002-11-deduplicated_levers_raw.json", Label: "deduplicated_levers", Title: "Deduplicated levers"}}
	EnrichedLevers        = JSON[Enriched]{File{Name: "002-12-enriched_levers_raw.json", Label: "enriched_levers", Title: "Enriched levers"}}
	VitalLevers           = JSON[Vital]{File{Name: "002-13-vital_few_levers_raw.json", Label: "vital_levers", Title: "The vital few levers"}}
	Decisions             = File{Name: "002-14-strategic_decisions.md", Label: "strategic_decisions", Title: "Strategic decisions"}
	CandidateScenariosRaw = File{Name: "002-15-candidate_scenarios_raw.json", Label: "candidate_scenarios_raw", Title: "Candidate scenarios, raw"}
	CandidateScenarios    = JSON[Candidates]{File{Name: "002-16-candidate_scenarios.json", Label: "candidate_scenarios", Title: "Candidate scenarios"}}
	SelectedScenarioRaw   = File{Name: "002-17-selected_scenario_raw.json", Label: "selected_scenario_raw", Title: "Selected scenario, raw"}
	SelectedScenario      = JSON[Selection]{File{Name: "002-18-selected_scenario.json", Label: "selected_scenario", Title: "Selected scenario"}}
	Scenarios             = File{Name: "002-19-scenarios.md", Label: "scenarios", Title: "Scenarios"}
	LocationsRaw          = File{Name: "002-20-physical_locations_raw.json", Label: "physical_locations_raw", Title: "Physical locations, raw"}
	Locations             = File{Name: "002-21-physical_locations.md", Label: "physical_locations", Title: "Physical locations"}
	CurrencyRaw           = File{Name: "002-22-currency_strategy_raw.json", Label: "currency_strategy_raw", Title: "Currency strategy, raw"}
	Currency              = File{Name: "002-23-currency_strategy.md", Label: "currency_strategy", Title: "Currency strategy"}
	RisksRaw              = File{Name: "003-1-identify_risks_raw.json", Label: "risks_raw", Title: "Risks, raw"}
	Risks                 = File{Name: "003-2-identify_risks.md", Label: "risks", Title: "Risks"}
	AssumptionsRaw        = File{Name: "003-3-make_assumptions_raw.json", Label: "assumptions_raw", Title: "Assumptions, raw"}
	Assumptions           = JSON[[]Assumption]{File{Name: "003-4-make_assumptions.json", Label: "assumptions_list", Title: "Assumptions as data"}}
	AssumptionsPage       = File{Name: "003-5-make_assumptions.md", Label: "made_assumptions", Title: "Made assumptions"}
	DistilledRaw          = File{Name: "003-6-distill_assumptions_raw.json", Label: "distilled_assumptions_raw", Title: "Distilled assumptions, raw"}
	Distilled             = File{Name: "003-7-distill_assumptions.md", Label: "distilled_assumptions", Title: "Distilled assumptions"}
	AssumptionReviewRaw   = File{Name: "003-8-review_assumptions_raw.json", Label: "assumption_review_raw", Title: "Review of assumptions, raw"}
	AssumptionReview      = File{Name: "003-9-review_assumptions.md", Label: "assumption_review", Title: "Review of assumptions"}
	AssumptionsFull       = File{Name: "003-10-consolidate_assumptions_full.md", Label: "assumptions_full", Title: "Assumptions in full"}
	AssumptionsShort      = File{Name: "003-11-consolidate_assumptions_short.md", Label: "assumptions", Title: "Assumptions"}
	AssessmentRaw         = File{Name: "004-1-pre_project_assessment_raw.json", Label: "assessment_raw", Title: "Pre-project assessment, raw"}
	Assessment            = JSON[PreProject]{File{Name: "004-2-pre_project_assessment.json", Label: "pre_project_assessment", Title: "Pre-project assessment"}}
	ProjectPlanRaw        = File{Name: "005-1-project_plan_raw.json", Label: "project_plan_data", Title: "Project plan as data"}
	ProjectPlan           = File{Name: "005-2-project_plan.md", Label: "project_plan", Title: "Project plan"}
	AuditDetailsRaw       = File{Name: "006-1-governance_phase1_audit_raw.json", Label: "governance_audit_data", Title: "Governance audit as data"}
	AuditDetails          = File{Name: "006-2-governance_phase1_audit.md", Label: "governance_audit", Title: "Governance audit"}
	BodiesRaw             = JSON[GovernanceBodies]{File{Name: "006-3-governance_phase2_bodies_raw.json", Label: "governance_bodies_data", Title: "Governance bodies as data"}}
	Bodies                = File{Name: "006-4-governance_phase2_bodies.md", Label: "governance_bodies", Title: "Governance bodies"}
	GovernanceSetupRaw    = File{Name: "006-5-governance_phase3_impl_plan_raw.json", Label: "governance_setup_data", Title: "Governance implementation as data"}
	GovernanceSetup       = File{Name: "006-6-governance_phase3_impl_plan.md", Label: "governance_setup", Title: "Governance implementation"}
	EscalationRaw         = File{Name: "006-7-governance_phase4_decision_escalation_matrix_raw.json", Label: "escalation_data", Title: "Decision escalation as data"}
	Escalation            = File{Name: "006-8-governance_phase4_decision_escalation_matrix.md", Label: "escalation", Title: "Decision escalation matrix"}
	MonitoringRaw         = File{Name: "006-9-governance_phase5_monitoring_progress_raw.json", Label: "monitoring_data", Title: "Monitoring as data"}
	Monitoring            = File{Name: "006-10-governance_phase5_monitoring_progress.md", Label: "monitoring", Title: "Monitoring progress"}
	GovernanceExtraRaw    = File{Name: "006-11-governance_phase6_extra_raw.json", Label: "governance_extra_raw", Title: "Governance extra, raw"}
	GovernanceExtra       = File{Name: "006-12-governance_phase6_extra.md", Label: "governance_extra", Title: "Governance extra"}
	Governance            = File{Name: "006-13-consolidate_governance.md", Label: "governance", Title: "Governance"}
	RelatedResourcesRaw   = File{Name: "007-1-related_resources_raw.json", Label: "related_resources_raw", Title: "Related resources, raw"}
	RelatedResources      = File{Name: "007-8-related_resources.md", Label: "related_resources", Title: "Related resources"}
	TeamFoundRaw          = File{Name: "008-1-find_team_members_raw.json", Label: "team_found_raw", Title: "Team, raw"}
	TeamFound             = JSON[[]TeamMember]{File{Name: "008-2-find_team_members.json", Label: "team_found", Title: "Team"}}
	TeamContractRaw       = File{Name: "009-1-enrich_team_members_contract_type_raw.json", Label: "team_contract_raw", Title: "Team contracts, raw"}
	TeamContract          = JSON[[]TeamMember]{File{Name: "009-2-enrich_team_members_contract_type.json", Label: "team_contract", Title: "Team with contracts"}}
	TeamBackgroundRaw     = File{Name: "010-1-enrich_team_members_background_story_raw.json", Label: "team_background_raw", Title: "Team backgrounds, raw"}
	TeamBackground        = JSON[[]TeamMember]{File{Name: "010-2-enrich_team_members_background_story.json", Label: "team_background", Title: "Team with backgrounds"}}
	TeamEnvironmentRaw    = File{Name: "011-1-enrich_team_members_environment_info_raw.json", Label: "team_environment_raw", Title: "Team environment, raw"}
	TeamEnvironment       = JSON[[]TeamMember]{File{Name: "011-2-enrich_team_members_environment_info.json", Label: "team_environment", Title: "Team with environment"}}
	TeamReview            = JSON[TeamCritique]{File{Name: "012-review_team_raw.json", Label: "team_review", Title: "Team review"}}
	Team                  = File{Name: "013-team.md", Label: "team", Title: "Team"}
	SWOTRaw               = File{Name: "014-1-swot_analysis_raw.json", Label: "swot_raw", Title: "SWOT analysis, raw"}
	SWOT                  = File{Name: "014-2-swot_analysis.md", Label: "swot", Title: "SWOT analysis"}
	ExpertsRaw            = File{Name: "015-1-experts_raw.json", Label: "experts_raw", Title: "Experts, raw", Extra: true}
	Experts               = File{Name: "015-2-experts.json", Label: "experts", Title: "Experts", Extra: true}
	ExpertCriticismRaw    = File{Name: "016-1-{n}-expert_criticism_raw.json", Label: "expert_criticism_raw", Title: "Expert criticism, raw", Extra: true}
	ExpertCriticism       = File{Name: "016-2-expert_criticism.md", Label: "expert_criticism", Title: "Expert criticism"}
	DataCollectionRaw     = File{Name: "017-1-data_collection_raw.json", Label: "data_collection_raw", Title: "Data collection, raw"}
	DataCollection        = File{Name: "017-2-data_collection.md", Label: "data_collection", Title: "Data collection"}
	DocumentsRaw          = File{Name: "017-3-identified_documents_raw.json", Label: "documents_raw", Title: "Identified documents, raw"}
	Documents             = File{Name: "017-4-identified_documents.md", Label: "documents", Title: "Identified documents"}
	DocumentsToFind       = JSON[[]DocumentToFind]{File{Name: "017-5-identified_documents_to_find.json", Label: "documents_to_find", Title: "Documents to find"}}
	DocumentsToCreate     = JSON[[]DocumentToCreate]{File{Name: "017-6-identified_documents_to_create.json", Label: "documents_to_create", Title: "Documents to create"}}
	FilterFindRaw         = File{Name: "017-7-filter_documents_to_find_raw.json", Label: "filter_find_raw", Title: "Filter of documents to find, raw"}
	FilterFind            = JSON[[]DocumentToFind]{File{Name: "017-8-filter_documents_to_find_clean.json", Label: "filtered_to_find", Title: "Documents to find, filtered"}}
	FilterCreateRaw       = File{Name: "017-9-filter_documents_to_create_raw.json", Label: "filter_create_raw", Title: "Filter of documents to create, raw"}
	FilterCreate          = JSON[[]DocumentToCreate]{File{Name: "017-10-filter_documents_to_create_clean.json", Label: "filtered_to_create", Title: "Documents to create, filtered"}}
	DraftFindRaw          = File{Name: "017-11-{n}-draft_documents_to_find_raw.json", Label: "draft_find_raw", Title: "Draft of a document to find, raw", Extra: true}
	DraftFind             = JSON[[]DocumentToFind]{File{Name: "017-12-draft_documents_to_find.json", Label: "drafts_to_find", Title: "Drafts of documents to find"}}
	DraftCreateRaw        = File{Name: "017-13-{n}-draft_documents_to_create_raw.json", Label: "draft_create_raw", Title: "Draft of a document to create, raw", Extra: true}
	DraftCreate           = JSON[[]DocumentToCreate]{File{Name: "017-14-draft_documents_to_create.json", Label: "drafts_to_create", Title: "Drafts of documents to create"}}
	DocumentsPage         = File{Name: "017-15-documents_to_create_and_find.md", Label: "documents_page", Title: "Documents to create and find"}
	WBS1Raw               = File{Name: "018-1-wbs_level1_raw.json", Label: "wbs_level1_raw", Title: "Work breakdown level 1, raw"}
	WBS1                  = JSON[Project]{File{Name: "018-2-wbs_level1.json", Label: "wbs_level1", Title: "Work breakdown level 1"}}
	ProjectTitle          = File{Name: "018-3-wbs_level1_project_title.json", Label: "project_title", Title: "Project title"}
	WBS2Raw               = File{Name: "018-4-wbs_level2_raw.json", Label: "wbs_level2_raw", Title: "Work breakdown level 2, raw"}
	WBS2                  = JSON[[]Phase]{File{Name: "018-5-wbs_level2.json", Label: "wbs_level2", Title: "Work breakdown level 2"}}
	WBS12                 = JSON[Breakdown]{File{Name: "019-wbs_project_level1_and_level2.json", Label: "wbs_levels_1_2", Title: "Work breakdown levels 1 and 2"}}
	PitchRaw              = JSON[PitchText]{File{Name: "020-1-pitch_raw.json", Label: "pitch_data", Title: "Pitch as data"}}
	PitchPageRaw          = File{Name: "020-2-pitch_to_markdown_raw.json", Label: "pitch_page_raw", Title: "Pitch page, raw"}
	Pitch                 = File{Name: "020-3-pitch.md", Label: "pitch", Title: "Pitch"}
	Dependencies          = JSON[TaskDependencies]{File{Name: "021-task_dependencies_raw.json", Label: "dependencies", Title: "Task dependencies"}}
	DurationsRaw          = File{Name: "022-1-{n}-task_durations_raw.json", Label: "durations_raw", Title: "Durations, raw", Extra: true}
	Durations             = JSON[[]Estimate]{File{Name: "022-2-task_durations.json", Label: "durations", Title: "Durations"}}
	WBS3Raw               = File{Name: "023-1-{n}-wbs_level3_raw.json", Label: "wbs_level3_raw", Title: "Work breakdown level 3, raw", Extra: true}
	WBS3                  = JSON[[]Subtask]{File{Name: "023-2-wbs_level3.json", Label: "wbs_level3", Title: "Work breakdown level 3"}}
	WBS                   = JSON[Breakdown]{File{Name: "023-3-wbs_project_level1_and_level2_and_level3.json", Label: "wbs", Title: "Work breakdown"}}
	WBSTable              = File{Name: "023-4-wbs_project_level1_and_level2_and_level3.csv", Label: "work_breakdown", Title: "Work breakdown as a table"}
	ReviewPlanRaw         = File{Name: "024-1-review_plan_raw.json", Label: "review_plan_raw", Title: "Review of the plan, raw"}
	ReviewPlan            = File{Name: "024-2-review_plan.md", Label: "review_plan", Title: "Review of the plan"}
	SummaryRaw            = File{Name: "025-1-executive_summary_raw.json", Label: "executive_summary_raw", Title: "Executive summary, raw"}
	Summary               = File{Name: "025-2-executive_summary.md", Label: "executive_summary", Title: "Executive summary"}
	GanttOverview         = File{Name: "026-1-schedule_gantt_mermaid.html", Label: "gantt_overview", Title: "Gantt overview"}
	GanttInteractive      = File{Name: "026-2-schedule_gantt_dhtmlx.html", Label: "gantt_interactive", Title: "Gantt interactive"}
	GanttTable            = File{Name: "026-3-schedule_gantt_machai.csv", Label: "gantt_table", Title: "Gantt as a table"}
	QARaw                 = File{Name: "027-1-questions_and_answers_raw.json", Label: "questions_and_answers_raw", Title: "Questions and answers, raw"}
	QA                    = File{Name: "027-2-questions_and_answers.md", Label: "questions_and_answers", Title: "Questions and answers"}
	QAFragment            = File{Name: "027-3-questions_and_answers.html", Label: "questions_and_answers_html", Title: "Questions and answers as HTML"}
	PremortemRaw          = File{Name: "028-1-premortem_raw.json", Label: "premortem_raw", Title: "Premortem, raw"}
	Premortem             = File{Name: "028-2-premortem.md", Label: "premortem", Title: "Premortem"}
	SelfAuditRaw          = File{Name: "029-1-self_audit_raw.json", Label: "self_audit_raw", Title: "Self audit, raw"}
	SelfAudit             = File{Name: "029-2-self_audit.md", Label: "self_audit", Title: "Self audit"}
	Report                = File{Name: "030-report.html", Label: "report", Title: "Report"}
	Complete              = File{Name: "999-pipeline_complete.txt", Label: "complete", Title: "Completion marker"}
)

// All returns every artifact of the contract, in its order.
func All() []File {
	return []File{
		StartTime.Artifact(),
		Prompt.Artifact(),
		RedlineVerdict.Artifact(),
		RedlinePage.Artifact(),
		PremiseAttackRaw.Artifact(),
		PremiseAttack.Artifact(),
		PurposeRaw.Artifact(),
		PurposePage.Artifact(),
		PlanTypeRaw.Artifact(),
		PlanTypePage.Artifact(),
		PotentialLeversRaw.Artifact(),
		PotentialLevers.Artifact(),
		DeduplicatedLevers.Artifact(),
		EnrichedLevers.Artifact(),
		VitalLevers.Artifact(),
		Decisions.Artifact(),
		CandidateScenariosRaw.Artifact(),
		CandidateScenarios.Artifact(),
		SelectedScenarioRaw.Artifact(),
		SelectedScenario.Artifact(),
		Scenarios.Artifact(),
		LocationsRaw.Artifact(),
		Locations.Artifact(),
		CurrencyRaw.Artifact(),
		Currency.Artifact(),
		RisksRaw.Artifact(),
		Risks.Artifact(),
		AssumptionsRaw.Artifact(),
		Assumptions.Artifact(),
		AssumptionsPage.Artifact(),
		DistilledRaw.Artifact(),
		Distilled.Artifact(),
		AssumptionReviewRaw.Artifact(),
		AssumptionReview.Artifact(),
		AssumptionsFull.Artifact(),
		AssumptionsShort.Artifact(),
		AssessmentRaw.Artifact(),
		Assessment.Artifact(),
		ProjectPlanRaw.Artifact(),
		ProjectPlan.Artifact(),
		AuditDetailsRaw.Artifact(),
		AuditDetails.Artifact(),
		BodiesRaw.Artifact(),
		Bodies.Artifact(),
		GovernanceSetupRaw.Artifact(),
		GovernanceSetup.Artifact(),
		EscalationRaw.Artifact(),
		Escalation.Artifact(),
		MonitoringRaw.Artifact(),
		Monitoring.Artifact(),
		GovernanceExtraRaw.Artifact(),
		GovernanceExtra.Artifact(),
		Governance.Artifact(),
		RelatedResourcesRaw.Artifact(),
		RelatedResources.Artifact(),
		TeamFoundRaw.Artifact(),
		TeamFound.Artifact(),
		TeamContractRaw.Artifact(),
		TeamContract.Artifact(),
		TeamBackgroundRaw.Artifact(),
		TeamBackground.Artifact(),
		TeamEnvironmentRaw.Artifact(),
		TeamEnvironment.Artifact(),
		TeamReview.Artifact(),
		Team.Artifact(),
		SWOTRaw.Artifact(),
		SWOT.Artifact(),
		ExpertsRaw.Artifact(),
		Experts.Artifact(),
		ExpertCriticismRaw.Artifact(),
		ExpertCriticism.Artifact(),
		DataCollectionRaw.Artifact(),
		DataCollection.Artifact(),
		DocumentsRaw.Artifact(),
		Documents.Artifact(),
		DocumentsToFind.Artifact(),
		DocumentsToCreate.Artifact(),
		FilterFindRaw.Artifact(),
		FilterFind.Artifact(),
		FilterCreateRaw.Artifact(),
		FilterCreate.Artifact(),
		DraftFindRaw.Artifact(),
		DraftFind.Artifact(),
		DraftCreateRaw.Artifact(),
		DraftCreate.Artifact(),
		DocumentsPage.Artifact(),
		WBS1Raw.Artifact(),
		WBS1.Artifact(),
		ProjectTitle.Artifact(),
		WBS2Raw.Artifact(),
		WBS2.Artifact(),
		WBS12.Artifact(),
		PitchRaw.Artifact(),
		PitchPageRaw.Artifact(),
		Pitch.Artifact(),
		Dependencies.Artifact(),
		DurationsRaw.Artifact(),
		Durations.Artifact(),
		WBS3Raw.Artifact(),
		WBS3.Artifact(),
		WBS.Artifact(),
		WBSTable.Artifact(),
		ReviewPlanRaw.Artifact(),
		ReviewPlan.Artifact(),
		SummaryRaw.Artifact(),
		Summary.Artifact(),
		GanttOverview.Artifact(),
		GanttInteractive.Artifact(),
		GanttTable.Artifact(),
		QARaw.Artifact(),
		QA.Artifact(),
		QAFragment.Artifact(),
		PremortemRaw.Artifact(),
		Premortem.Artifact(),
		SelfAuditRaw.Artifact(),
		SelfAudit.Artifact(),
		Report.Artifact(),
		Complete.Artifact(),
	}
}
