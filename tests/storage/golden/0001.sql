BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE conversations (
	id VARCHAR NOT NULL, 
	task_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	parent_id VARCHAR, 
	made INTEGER NOT NULL, 
	settled INTEGER NOT NULL, 
	mode VARCHAR, 
	model_id VARCHAR, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "conversations" VALUES('175d12e2-76bf-4aea-8092-32e0d182ac51','t','main',NULL,1,0,'ask_risky','m','2026-11-23T16:09:39.643616+00:00');
CREATE TABLE events (
	task_id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	conversation_id VARCHAR, 
	seq INTEGER, 
	kind VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY (task_id, position), 
	FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "events" VALUES('t',1,'m1',NULL,NULL,'UserMessage','user','2026-11-23T16:09:39.548783+00:00','{"text":"Grüße 🪑","digest":"d"}');
INSERT INTO "events" VALUES('t',2,'c-0','c',0,'MessageEvent','user','2026-11-23T16:09:39.654549+00:00','{"id":"c-0","kind":"MessageEvent","source":"user","llm_message":{"content":[{"type":"text","text":"Grüße 🪑"}]}}');
INSERT INTO "events" VALUES('t',3,'c-1','c',1,'ConversationStateUpdateEvent','environment','2026-11-23T16:09:39.654566+00:00','{"id":"c-1","kind":"ConversationStateUpdateEvent","source":"environment","key":"execution_status","value":"running"}');
INSERT INTO "events" VALUES('t',4,'c-2','c',2,'ActionEvent','agent','2026-11-23T16:09:39.654576+00:00','{"id":"c-2","kind":"ActionEvent","source":"agent","tool_name":"terminal","tool_call_id":"call-2","action":{"kind":"TerminalAction","command":"ls"},"security_risk":"LOW"}');
INSERT INTO "events" VALUES('t',5,'c-3','c',3,'ObservationEvent','environment','2026-11-23T16:09:39.654585+00:00','{"id":"c-3","kind":"ObservationEvent","source":"environment","action_id":"c-2","observation":{"kind":"TerminalObservation"}}');
INSERT INTO "events" VALUES('t',6,'c-4','c',4,'ActionEvent','agent','2026-11-23T16:09:39.654593+00:00','{"id":"c-4","kind":"ActionEvent","source":"agent","tool_name":"terminal","tool_call_id":"call-4","action":{"kind":"TerminalAction","command":"rm -rf x"},"security_risk":"HIGH"}');
INSERT INTO "events" VALUES('t',7,'c-5','c',5,'ConversationStateUpdateEvent','environment','2026-11-23T16:09:39.654601+00:00','{"id":"c-5","kind":"ConversationStateUpdateEvent","source":"environment","key":"execution_status","value":"waiting_for_confirmation"}');
CREATE TABLE idempotency (
	"key" VARCHAR NOT NULL, 
	request VARCHAR NOT NULL, 
	status INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "idempotency" VALUES('key','digest',201,'{"a":1}','2026-11-23T16:09:39.712882+00:00');
CREATE TABLE outbox (
	id VARCHAR NOT NULL, 
	task_id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	state VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id, task_id), 
	FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "outbox" VALUES('m1','t',1,'[{}]','waiting','2026-11-23T16:09:39.640618+00:00');
CREATE TABLE tasks (
	id VARCHAR NOT NULL, 
	workspace_id VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	titled INTEGER NOT NULL, 
	mode VARCHAR NOT NULL, 
	model_id VARCHAR, 
	model_name VARCHAR, 
	budget_usd FLOAT, 
	state VARCHAR NOT NULL, 
	facts TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "tasks" VALUES('t','w','Task t',1,'ask_risky','m',NULL,2.5,'waiting','{"state":"waiting","problem":null,"activity":"Waiting for your approval","pending":[{"id":"c-4","tool":"terminal","summary":null,"arguments":{"command":"rm -rf x"},"risk":"high","reason":"This is risky: it deletes files for good.","position":6}],"plan":[],"turn_started_at":"2026-11-23T16:09:39.548783Z","alarm":null,"conversation_id":"c","mode":"ask_risky","modes":["ask_risky"],"status":"waiting_for_confirmation","failure":null,"lost":false,"starting":false,"stopped":null,"awaited":[{"message":{"id":"m1","text":"Grüße 🪑","position":1},"digest":"d"}],"actions":{"c-4":{"id":"c-4","call":"call-4","tool":"terminal","summary":null,"arguments":{"command":"rm -rf x"},"risk":"high","position":6}},"approved":[],"rejected":null}',7,'2026-11-23T16:09:39.532437+00:00','2026-11-23T16:09:39.660559+00:00');
INSERT INTO "tasks" VALUES('u','w','Task u',1,'ask_risky','m',NULL,2.5,'idle','{"state":"idle","problem":null,"activity":null,"pending":[],"plan":[],"turn_started_at":null,"alarm":null,"conversation_id":null,"mode":"ask_risky","modes":["ask_risky"],"status":"idle","failure":null,"lost":false,"starting":false,"stopped":null,"awaited":[],"actions":{},"approved":[],"rejected":null}',0,'2026-11-23T16:09:39.546462+00:00','2026-11-23T16:09:39.546462+00:00');
CREATE TABLE tokens (
	digest VARCHAR NOT NULL, 
	task_id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (digest), 
	FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "tokens" VALUES('456ce588e3313ed2efc81ff23b7ab537b4b50fc28f2d53f5f5874b05fe47dd2e','t','2026-11-23T16:09:39.708465+00:00');
CREATE TABLE usage (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	model VARCHAR, 
	prompt_tokens INTEGER NOT NULL, 
	completion_tokens INTEGER NOT NULL, 
	cached_tokens INTEGER NOT NULL, 
	reasoning_tokens INTEGER NOT NULL, 
	cost_usd FLOAT NOT NULL, 
	estimated INTEGER NOT NULL, 
	priced INTEGER NOT NULL, 
	requests INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "usage" VALUES(1,'t','2026-11-23T16:09:39.696906+00:00','m',10,5,0,0,0.25,0,1,1);
INSERT INTO "usage" VALUES(2,'t','2026-11-23T16:09:39.705541+00:00',NULL,1,0,0,0,0.0,1,0,1);
CREATE TABLE workspaces (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	runtime VARCHAR NOT NULL, 
	trust VARCHAR NOT NULL, 
	git_decision VARCHAR, 
	editor_port INTEGER, 
	editor_secret VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	last_opened_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "workspaces" VALUES('w','Golden','/srv/golden','local','trusted',NULL,40001,'s3cret','2026-11-23T16:09:39.470361+00:00','2026-11-23T16:09:39.470361+00:00');
CREATE INDEX ix_idempotency_created ON idempotency (created_at);
CREATE INDEX ix_tasks_created ON tasks (created_at, id);
CREATE INDEX ix_tasks_workspace ON tasks (workspace_id, created_at);
CREATE INDEX ix_conversations_task ON conversations (task_id, created_at);
CREATE UNIQUE INDEX uq_events_own ON events (task_id, id) WHERE seq IS NULL;
CREATE UNIQUE INDEX uq_events_upstream ON events (conversation_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX ix_outbox_task ON outbox (task_id, position);
CREATE INDEX ix_tokens_task ON tokens (task_id);
CREATE INDEX ix_usage_task ON usage (task_id);
COMMIT;
