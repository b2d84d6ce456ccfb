// One program for all of Kubernetes' components: which one it is, its name tells. They share most of their code, so one program is a third of
// the size of five, and the kernel keeps one copy of it in memory.
package main

import (
	goflag "flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"

	// Metrics of client-go and of the version, as each of the components registers them itself.
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"

	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// The components, by the names of the links to this program.
var components = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kubelet":                 kubelet.NewKubeletCommand,
	"kube-scheduler": func() *cobra.Command {
		// The scheduler and the proxy read the process's own flag set, and accept _ for - in it.
		pflag.CommandLine.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
		return scheduler.NewSchedulerCommand()
	},
	"kube-proxy": func() *cobra.Command {
		pflag.CommandLine.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
		pflag.CommandLine.AddGoFlagSet(goflag.CommandLine)
		return proxy.NewProxyCommand()
	},
}

func main() {
	name := filepath.Base(os.Args[0])
	newCommand, known := components[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: call me by the name of a component, such as kube-apiserver\n", name)
		os.Exit(2)
	}

	// Retries are spread by chance; without a seed every start would draw the same numbers.
	rand.Seed(time.Now().UnixNano())
	command := newCommand()
	logs.InitLogs()
	err := command.Execute()
	logs.FlushLogs()
	if err != nil {
		os.Exit(1)
	}
}
