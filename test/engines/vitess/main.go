// Asks Vitess's own planner where statements go. Standard input is one JSON object, `{schema, vschema, shards, statements}`;
// standard output one more, by number of shards, in the statements' order. Nothing is started: vtexplain answers for the tablets.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"

	"vitess.io/vitess/go/stats"
	"vitess.io/vitess/go/vt/topo/memorytopo"
	"vitess.io/vitess/go/vt/vtenv"
	"vitess.io/vitess/go/vt/vtexplain"
)

type question struct {
	Schema  string `json:"schema"`
	Vschema string `json:"vschema"`
	// Numbers of shards, each tried by itself.
	Shards []int `json:"shards"`
	// SQL with its values in the text, as PlanetScale's driver sends it. Statements between `begin` and `commit` are one transaction.
	Statements []string `json:"statements"`
}

type answer struct {
	// Shards that were asked, "keyspace/shard", in order.
	Shards []string `json:"shards"`
	// What each of these shards' MySQL was asked.
	Asked map[string][]string `json:"asked"`
	// Operators of the plan, such as "Route Unique" or "Insert Sharded".
	Operators []string `json:"operators"`
	// Why Vitess refuses the statement; empty when it does not.
	Error string `json:"error"`
}

func main() {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail("standard input is no question: %v", err)
	}
	answers := map[int][]answer{}
	for _, shards := range asked.Shards {
		fmt.Fprintf(os.Stderr, "%d statements on %d shards\n", len(asked.Statements), shards)
		found, err := plan(asked, shards)
		if err != nil {
			fail("%d shards: %v", shards, err)
		}
		answers[shards] = found
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fail("%v", err)
	}
}

func plan(asked question, shards int) ([]answer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	env, err := vtenv.New(vtenv.Options{MySQLServerVersion: "8.4.6-Vitess"})
	if err != nil {
		return nil, err
	}
	options := &vtexplain.Options{
		ExecutionMode:   vtexplain.ModeMulti,
		ReplicationMode: "ROW",
		NumShards:       shards,
		// As vtgate runs by default: values become bind variables before planning.
		Normalize: true,
		StrictDDL: true,
	}
	topology := memorytopo.NewServer(ctx, vtexplain.Cell)
	counts := stats.NewCountersWithSingleLabel("", "topology operations", "type")
	explainer, err := vtexplain.Init(ctx, env, topology, asked.Vschema, asked.Schema, "", options, counts)
	if err != nil {
		return nil, err
	}
	defer explainer.Stop()

	answers := make([]answer, 0, len(asked.Statements))
	for _, statement := range asked.Statements {
		explains, err := explainer.Run(statement)
		if err != nil {
			answers = append(answers, answer{Error: err.Error()})
			continue
		}
		answers = append(answers, answerFrom(explains))
	}
	return answers, nil
}

func answerFrom(explains []*vtexplain.Explain) answer {
	found := answer{Shards: []string{}, Asked: map[string][]string{}, Operators: []string{}}
	for _, explain := range explains {
		for shard, actions := range explain.TabletActions {
			for _, query := range actions.MysqlQueries {
				found.Asked[shard] = append(found.Asked[shard], query.SQL)
			}
		}
		for _, plan := range explain.Plans {
			found.Operators = append(found.Operators, operatorsOf(plan)...)
		}
	}
	for shard := range found.Asked {
		found.Shards = append(found.Shards, shard)
	}
	sort.Strings(found.Shards)
	return found
}

// operatorsOf reads a plan's own description, outermost operator first.
func operatorsOf(plan json.Marshaler) []string {
	text, err := json.Marshal(plan)
	if err != nil {
		return []string{err.Error()}
	}
	var described struct{ Instructions operator }
	if err := json.Unmarshal(text, &described); err != nil {
		return []string{err.Error()}
	}
	return described.Instructions.names()
}

type operator struct {
	OperatorType string
	Variant      string
	Inputs       []operator
}

func (o operator) names() []string {
	names := []string{strings.TrimSpace(o.OperatorType + " " + o.Variant)}
	for _, input := range o.Inputs {
		names = append(names, input.names()...)
	}
	return names
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
