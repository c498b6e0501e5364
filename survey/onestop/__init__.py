"""Reports of the one-stop office: Mẫu 01, 02, 03, coverage, late dossiers, the periodic report."""
