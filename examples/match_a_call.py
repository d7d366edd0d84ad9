"""Match the demonstration call with the four districts of edition 1, in a few lines of Python."""

from geo_qmi import matching, shipped_tables

tables = shipped_tables()
call = tables["applications"].rename(columns={"application_id": "project_id"})
districts = ["QMI1-AUL", "QMI1-MEU", "QMI1-NOI", "QMI1-SCE"]

result = matching.match(call, tables, districts=districts)  # default rules: published needs, 6 to 8 projects each
print("Démonstration :", len(result.plan.rows), "candidatures placées sur", len(call))

first = result.plan.rows.iloc[0]
parts = result.explanations.query("project_id == @first.project_id and district_id == @first.district_id")
print(first["project_id"], "→", first["district_id"], f": score {first['score']:.3f}")
print(parts[["layer", "theme", "contribution"]].query("contribution > 0").to_string(index=False))
print("somme des contributions :", round(float(parts["contribution"].sum()), 3))
