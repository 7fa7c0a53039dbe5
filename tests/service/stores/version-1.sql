-- A store of version 1, as commit a388597 and those after it made it: two invoice_requests, one of them disabled.
BEGIN TRANSACTION;
CREATE TABLE invoicerequests (
	invreq_id BLOB NOT NULL, 
	bolt12 TEXT NOT NULL, 
	label TEXT, 
	status INTEGER NOT NULL, 
	PRIMARY KEY (invreq_id)
);
INSERT INTO "invoicerequests" VALUES(X'93F193CD2432D292F8B64AF08942989D71C0A0366FB52D57DDB688C8FB066399','lnr1qqgypua5g7rp293k00s66ayvnv26czst2d5k6urvv5s8getnw3gzqp3zderpzxstt8927ynqg044h0egcd8n5h3n9g0u0v4h8ncc3yg02gps7sjqtqssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e7pq947t0ks7a4yejz8w79x4zj25s3pu6zrnw2e0v2ugdescpcqsq307z4p2dlxe92fv7xd43qut0pjkg4y094hupqyhsj8dlhvmmfng6sv',NULL,3);
INSERT INTO "invoicerequests" VALUES(X'116AE0B2C696B263DE314B8E913A21A236E7BD2E53E3D07B5F2FA9522C951A4B','lnr1qqgx5t5hcw5ru9fgkhgxj4thjq4ugzsxwdjkxmmwv3gzqp3zderpzxstt8927ynqg044h0egcd8n5h3n9g0u0v4h8ncc3yg02gpq05zcyypz6g3kyz34nfrl7lm6c3rushzxey3a55ecjgs6qp2vz8q78j336k0sgpfjpzxzut4gvqwmttapta4en8a9d428qefcd29hl3fxp2zwyuykzl5rsh77vnrnzzj8ja8rr3msydkrktzjfr8td04tr5a82tcpf7lk','a "label"',0);
CREATE TABLE meta (
	node_id BLOB NOT NULL, 
	network TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (node_id)
);
INSERT INTO "meta" VALUES(X'022D223620A359A47FF7F7AC447C85C46C923DA53389221A0054C11C1E3CA31D59','regtest',1);
COMMIT;
