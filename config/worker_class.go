package config

import (
	"errors"
	"strings"
)

// workerClasses are the names by which gunicorn knows the classes that exist here too.
var workerClasses = map[string]string{
	"sync":                                  "sync",
	"egg:gunicorn#sync":                     "sync",
	"gunicorn.workers.sync.SyncWorker":      "sync",
	"gthread":                               "gthread",
	"egg:gunicorn#gthread":                  "gthread",
	"gunicorn.workers.gthread.ThreadWorker": "gthread",
}

// Why the other classes are not here, and what to take.
const (
	noGreenlets = "is not available; gthread serves as many requests at once as it has --threads"
	noASGI      = "is for asynchronous applications, and pyhost serves WSGI; see sync and gthread"
	noOwnClass  = "is a class of your own, and pyhost's workers are not written in Python; it must be sync or gthread"
)

// otherClasses are those of gunicorn's that are not here, by the words that tell them.
var otherClasses = []struct{ word, why string }{
	{"gevent", noGreenlets}, {"eventlet", noGreenlets}, {"meinheld", noGreenlets},
	{"tornado", noASGI}, {"asgi", noASGI}, {"uvicorn", noASGI},
}

func workerClassItem(_, name string) (string, error) {
	if class, ok := workerClasses[name]; ok {
		return class, nil
	}
	lower := strings.ToLower(name)
	for _, other := range otherClasses {
		if strings.Contains(lower, other.word) {
			return "", errors.New(other.why)
		}
	}
	if strings.ContainsAny(name, ".:") {
		return "", errors.New(noOwnClass)
	}
	near := nearest(name, func(yield func(spelling, answer string)) {
		yield("sync", "; did you mean sync?")
		yield("gthread", "; did you mean gthread?")
		for _, other := range otherClasses {
			yield(other.word, "; "+other.word+" "+other.why)
		}
	})
	return "", errors.New("must be sync or gthread" + near)
}
