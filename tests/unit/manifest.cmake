# unit_test(manifest/test_x libs...) lines
