BEGIN TRANSACTION;
CREATE TABLE addresses (
	node_id BLOB NOT NULL, 
	host TEXT NOT NULL, 
	port INTEGER NOT NULL, 
	last_connected BIGINT NOT NULL, 
	PRIMARY KEY (node_id)
);
INSERT INTO "addresses" VALUES(X'02989C0B76CB563971FDC9BEF31EC06C3560F3249D6EE9E5D83C57625596E05F6F','127.0.0.1',19846,1800000000);
CREATE TABLE "counters" (
	name TEXT NOT NULL, 
	last BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "counters" VALUES('updated_index',1);
INSERT INTO "counters" VALUES('pay_index',1);
INSERT INTO "counters" VALUES('fence',1);
CREATE TABLE invoicerequests (
	invreq_id BLOB NOT NULL, 
	bolt12 TEXT NOT NULL, 
	label TEXT, 
	status INTEGER NOT NULL, payee BLOB, 
	PRIMARY KEY (invreq_id)
);
INSERT INTO "invoicerequests" VALUES(X'93F193CD2432D292F8B64AF08942989D71C0A0366FB52D57DDB688C8FB066399','lnr1qqgypua5g7rp293k00s66ayvnv26czst2d5k6urvv5s8getnw3gzqp3zderpzxstt8927ynqg044h0egcd8n5h3n9g0u0v4h8ncc3yg02gps7sjqtqssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e7pq947t0ks7a4yejz8w79x4zj25s3pu6zrnw2e0v2ugdescpcqsq307z4p2dlxe92fv7xd43qut0pjkg4y094hupqyhsj8dlhvmmfng6sv',NULL,3,NULL);
INSERT INTO "invoicerequests" VALUES(X'116AE0B2C696B263DE314B8E913A21A236E7BD2E53E3D07B5F2FA9522C951A4B','lnr1qqgx5t5hcw5ru9fgkhgxj4thjq4ugzsxwdjkxmmwv3gzqp3zderpzxstt8927ynqg044h0egcd8n5h3n9g0u0v4h8ncc3yg02gpq05zcyypz6g3kyz34nfrl7lm6c3rushzxey3a55ecjgs6qp2vz8q78j336k0sgpfjpzxzut4gvqwmttapta4en8a9d428qefcd29hl3fxp2zwyuykzl5rsh77vnrnzzj8ja8rr3msydkrktzjfr8td04tr5a82tcpf7lk','a "label"',0,NULL);
CREATE TABLE invoices (
	created_index INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	updated_index INTEGER NOT NULL, 
	label TEXT NOT NULL, 
	bolt12 TEXT NOT NULL, 
	description TEXT, 
	payer_note TEXT, 
	payment_hash BLOB NOT NULL, 
	payment_preimage BLOB NOT NULL, 
	amount_msat BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	local_offer_id BLOB, 
	pay_index INTEGER, 
	amount_received_msat BIGINT, 
	paid_at BIGINT, answers_request BOOLEAN NOT NULL DEFAULT FALSE, 
	UNIQUE (label), 
	UNIQUE (payment_hash), 
	UNIQUE (pay_index)
);
INSERT INTO "invoices" VALUES(1,0,'number 1','lni1qqgqqqgzqvzq2ps8pqys5zcvp58q7q3qqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy8ssqsraq9q5mmwv5sxxmmxvejk293pqgkjyd3q5dv6gllh77kygly9c3kfy0d9xwyjyxsq2nq3c83u5vw4j5pqqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy84sggzsjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jc9jzrwdus8xat8v9e2q6crgc98h9nwlland9r0dhpuzllh8ttcnlqu9h6rcyjcqww297dpu0nq9p9lw43zv2aad9qqs46g7wlx47jj4cchz4gcrm8rrdnr28x0lf9sqypgf0m4vgnzh0tfgqy9wj8nhe40554wx9c42xq7eccmvc63enl6fvqqq46x7grdvk3pcqqqqqqsqqqqqgqqxqqqqqqqqqqqqsqqqqqqqqqqqpgqqzjqg66fecv2sgrje4hgggkyqlak6zvxjrc3xzmaa4lv9al4u8fshkw4y8cp2d3hjw4qyqlgkqssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e7pq07u25fc8d84jengq0379lcasnm3d5qds7gkv9q2qec7efj4fj8l55tkdgask6cgahla3eyvjcuru2vj3sx2tvf8m3jh80nhz70qke7y','one coffee','no sugar',X'72CD6E8422C407FB6D098690F1130B7DED7EC2F7F5E1D30BD9D521F015363793',X'0101010101010101010101010101010101010101010101010101010101010101',1000,'unpaid',1800007200,X'8E0699EA3D52A8EF3C774FEA034518DC41557B18B7CA34F43C0B9BCA14B56E27',NULL,NULL,NULL,0);
INSERT INTO "invoices" VALUES(2,1,'number 2','lni1qqgqqqgzqvzq2ps8pqys5zcvp58q7q3qqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy8ssqsraq9q5mmwv5sxxmmxvejk293pqgkjyd3q5dv6gllh77kygly9c3kfy0d9xwyjyxsq2nq3c83u5vw4j5pqqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy84sggzsjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jc9jzrwdus8xat8v9e2q6crgc98h9nwlland9r0dhpuzllh8ttcnlqu9h6rcyjcqww297dpu0nq9p9lw43zv2aad9qqs46g7wlx47jj4cchz4gcrm8rrdnr28x0lf9sqypgf0m4vgnzh0tfgqy9wj8nhe40554wx9c42xq7eccmvc63enl6fvqqq46x7grdvk3pcqqqqqqsqqqqqgqqxqqqqqqqqqqqqsqqqqqqqqqqqpgqqzjqg66fecv2sgr4saamg8fe8d0ms32uuc8vmrw6qqwsvvtyj6c5m7nl39t9dmk2f24qyqlgkqssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e7pqtr4yka9zej29lhmu8wum2eekj2dk2y945s82243rt34q6vck477k4v3tkg9v52cy3f267mq5ak8m5u26rw6ggy9pdcxpnagvyrjueky','one coffee','no sugar',X'75877BB41D393B5FB8455CE60ECD8DDA001D06316496B14DFA7F895656EECA4A',X'0202020202020202020202020202020202020202020202020202020202020202',1000,'paid',1800007200,X'8E0699EA3D52A8EF3C774FEA034518DC41557B18B7CA34F43C0B9BCA14B56E27',1,1000,1800000000,0);
INSERT INTO "invoices" VALUES(4,0,'8e0699ea3d52a8ef3c774fea034518dc41557b18b7ca34f43c0b9bca14b56e27-031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f-0','lni1qqgqqqgzqvzq2ps8pqys5zcvp58q7q3qqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy8ssqsraq9q5mmwv5sxxmmxvejk293pqgkjyd3q5dv6gllh77kygly9c3kfy0d9xwyjyxsq2nq3c83u5vw4j5pqqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy84sggrrwzv24nmzfjypx2a8m264ws9vht3uxp5vpypnluuzl67n4waq786pxqz953rvg9rtxj8lalh43z8epwydjfrmffn3y3p5qz5cywpu09rr4vsy8u22ekzq43n6q5sj3686tsc738qtxfamfa9lz85jcrcyp0k2mjeqypyslv998kzvl4rg50z64ym8gcrsvfdd0k40wmkl5e04dt0q7qzjjcqxfxpwlffy06j85vf8s7ycvdhm9vjd4gk9wtz3qt4vanp05707hhwhkecqqrgd9879s36d8m8ggm5j8tg5j3pcqqqqqqqqqqqqqqq5qqqqqqqqqqqqqwjfvkl43fqqqqqqzjqg66f6gq2sgrrphxjjekyxdnfzyj5fzamyk607sf2f8rn9kev327phpvph4csmk4qyqlg4cpsyqqqkqssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e7pqt8r5gxfrcm4zrpt5q7vnn5g9h7gz8lm8gtqq8jzj3uev0wuu4teumg8fyq7lq77mmhk3m2wt84qamt8atxqkra0xayp94hvqav357zc','one coffee',NULL,X'630DCD2966C4336691125448BBB25B4FF412A49C732DB2C8ABC1B8581BD710DD',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',1000,'unpaid',1800007200,X'8E0699EA3D52A8EF3C774FEA034518DC41557B18B7CA34F43C0B9BCA14B56E27',NULL,NULL,NULL,1);
CREATE TABLE meta (
	node_id BLOB NOT NULL, 
	network TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (node_id)
);
INSERT INTO "meta" VALUES(X'022D223620A359A47FF7F7AC447C85C46C923DA53389221A0054C11C1E3CA31D59','regtest',5);
CREATE TABLE offers (
	offer_id BLOB NOT NULL, 
	bolt12 TEXT NOT NULL, 
	label TEXT, 
	status INTEGER NOT NULL, 
	force_paths BOOLEAN NOT NULL, 
	PRIMARY KEY (offer_id)
);
INSERT INTO "offers" VALUES(X'8E0699EA3D52A8EF3C774FEA034518DC41557B18B7CA34F43C0B9BCA14B56E27','lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrcgqgp7szs2dahx2grrdanxvet9zcssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e','menu',5,0);
INSERT INTO "offers" VALUES(X'20A91157E96DD8830B8270E37453CEDFDB96A6C5C73A091FDE8EF04D4B40D060','lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrc2q3nkjen5zcssytfzxcs2xkdy0lml0tzy0jzugmyj8kjn8zfzrgq9fsgurc72x82e',NULL,2,0);
CREATE TABLE payments (
        payment_hash BLOB NOT NULL,
        invreq_id BLOB NOT NULL,
        offer_id BLOB,
        bolt12 TEXT NOT NULL,
        amount_msat BIGINT NOT NULL,
        limit_msat BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        single_use BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        backend TEXT NOT NULL,
        owner TEXT NOT NULL,
        fence BIGINT NOT NULL,
        created_index BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        completed_at BIGINT,
        preimage BLOB,
        sent_msat BIGINT,
        reason TEXT,
        PRIMARY KEY (payment_hash)
    );
INSERT INTO "payments" VALUES(X'E3E16780BECF601D55E4751E7D722EF91D750BB0CEA61B1BB5EA8BC308CDF262',X'A1C92D13FCE35BF5D5F259CC83C820CCF3B213D25F340FBFCBF593C579899887',X'CA8A902FFF1769A739B6978D476AB1D30F50D915788D1B4BC8489D3B70033D39','lni1qqgqqqgzqvzq2ps8pqys5zcvp58q7q3qqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy8ssqsraq9q5mmwv5sxxmmxvejk293pqdrq57ukdmllkd55daku8stl7uad0z0ursklg0qjtqpeeghe5837v5pqqc3xu3s3rg94nj40zfsy866mhu5vxne6tcej5878k2mneuvgjy84sggzsjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jc2q6crgc98h9nwlland9r0dhpuzllh8ttcnlqu9h6rcyjcqww297dpu0nq9p9lw43zv2aad9qqs46g7wlx47jj4cchz4gcrm8rrdnr28x0lf9sqypgf0m4vgnzh0tfgqy9wj8nhe40554wx9c42xq7eccmvc63enl6fvqqq46x7grdvk3pcqqqqqqsqqqqqgqqxqqqqqqqqqqqqsqqqqqqqqqqqpgqqzjqg66f6gq2sg8ru9ncp0k0vqw4ter4re7hyther46shvxw5cd3hd0230ps3n0jv24qyqlgkqssx3s20wtxallmx62x7mwrc9llwwkh387pct058sf9squu5tu6rclx7pq0dy90ez30m928u5kdf9vqpkkwlj6dwcw0eee9g0wahx377jmcflg7t6lrx0m9zz499ezrrkuezatu844ullwq4qtxzvfzck9m7r98c5',1000,6000,1800007200,0,'paid','none','0011223344556677',1,1,1800000000,1800000001,X'6465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F80818283',1001,NULL);
CREATE TABLE rune_blacklist (first_id BIGINT NOT NULL, last_id BIGINT NOT NULL, PRIMARY KEY (first_id));
INSERT INTO "rune_blacklist" VALUES(0,0);
INSERT INTO "rune_blacklist" VALUES(2,2);
CREATE TABLE rune_uses (unique_id BIGINT NOT NULL, last_used_ns BIGINT NOT NULL, PRIMARY KEY (unique_id));
INSERT INTO "rune_uses" VALUES(1,1800000000000000000);
CREATE TABLE runes (unique_id BIGINT NOT NULL, restrictions TEXT NOT NULL, PRIMARY KEY (unique_id));
INSERT INTO "runes" VALUES(0,'=0');
INSERT INTO "runes" VALUES(1,'=1&method^list|method=getinfo&per=1min');
INSERT INTO "runes" VALUES(2,'=2&method^list|method^get|method=summary&method/listdatastore');
CREATE INDEX ix_invoices_local_offer_id ON invoices (local_offer_id);
CREATE INDEX ix_invoices_status_expires_at ON invoices (status, expires_at);
CREATE INDEX ix_invoices_updated_index ON invoices (updated_index);
CREATE INDEX ix_invoices_unpaid_answers ON invoices (expires_at, answers_request, status)
    WHERE answers_request AND status <> 'paid'
    ;
CREATE UNIQUE INDEX ix_payments_single_use ON payments (invreq_id) WHERE single_use AND state <> 'failed';
CREATE INDEX ix_payments_invreq_id ON payments (invreq_id, created_at);
CREATE INDEX ix_payments_offer_id ON payments (offer_id, created_index);
CREATE UNIQUE INDEX ix_payments_created_index ON payments (created_index);
CREATE INDEX ix_payments_open ON payments (invreq_id, fence) WHERE state IN ('claimed', 'paying', 'unknown');
CREATE INDEX ix_payments_completed_at ON payments (completed_at, amount_msat) WHERE state = 'paid';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('invoices',4);
COMMIT;
