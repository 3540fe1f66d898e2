using System.Globalization;
using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Benchmarks.Report;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>The page <c>sessions</c>.</summary>
internal sealed class SessionsPage
{
    private const double Megabyte = 1e6;

    public required IReadOnlyList<GatewayCell> Few { get; init; }

    public required IReadOnlyList<GatewayCell> Many { get; init; }

    public required IReadOnlyList<SignInResult> SignIns { get; init; }

    public required int Sessions { get; init; }

    public required int Rounds { get; init; }

    /// <summary>Gets the length of the <c>Authorization</c> value of delegation.</summary>
    public required int HeaderLength { get; init; }

    /// <summary>Gets the length of an ID token.</summary>
    public required int TokenLength { get; init; }

    /// <summary>Gets the milliseconds of an answer of the provider's token endpoint.</summary>
    public required double ProviderTime { get; init; }

    /// <summary>Gets why columns are missing.</summary>
    public required IReadOnlyList<string> MissingColumns { get; init; }

    public void Write(string results)
    {
        var page = new ResultFile(results, "sessions", "A gateway with signed-in browsers").Text(Describe());
        foreach (var missing in MissingColumns)
            page.Text($"A column is missing: {missing}");
        foreach (var cells in (IReadOnlyList<GatewayCell>[])[Few, Many])
            page.Text(string.Create(CultureInfo.InvariantCulture, $"## Requests of {cells[0].Users:N0} sessions")).Table(
                ["", "requests/s", "ratio to plain YARP", "CPU µs per request", "over the same server without a sign-in",
                    "bytes per request", "server busy", "backend µs"],
                cells.Select(cell => AsRow(cell, cells)));
        page.Text("## A cold sign-in").Table(
            ["", "median ms", "90 % below ms", "CPU ms of the whole sign-in", "sign-ins/s, 16 at a time"],
            SignIns.Select(static result => (IReadOnlyList<string>)
            [
                result.Column, Interleaved.Quantile([.. result.Times], 0.5).Number(), Interleaved.Quantile([.. result.Times], 0.9).Number(),
                result.ProcessorTime.Number(), result.PerSecond.Number(0),
            ]));
        page.Text("## Memory of a session").Table(
            ["", $"MB with {SignIns[0].FewSessions} sessions", string.Create(CultureInfo.InvariantCulture, $"MB with {Sessions:N0}"),
                "KB per session"],
            SignIns.Select(result => (IReadOnlyList<string>)
            [
                result.Column, (result.FewMemory / Megabyte).Number(1), (result.ManyMemory / Megabyte).Number(1),
                ((result.ManyMemory - result.FewMemory) / 1024.0 / (Sessions - result.FewSessions)).Number(1),
            ]));
        page.Write();
    }

    private string Describe() => string.Create(CultureInfo.InvariantCulture, $"""
        GET requests with an answer of 1 KB, over plain HTTP/1.1 on loopback for all servers, without access logs. `wrk` sends them on 64
        connections, each for a random session. All servers of a round get the same sequence. Every request has a cookie. A round in which
        a request does not reach the backend ends the run.

        Each server is pinned to processor {ProcessorSet.Gateway}, and only one has requests at a time. `wrk`, the backends, the identity
        provider and the KDC run on processor {ProcessorSet.Others}. {Rounds} interleaved rounds of one second; the half with the least
        disturbance counts. The tables have medians. Ratios and differences are medians of those of the rounds.

        A server that is less than 0.95 busy was limited by `wrk`, the backend, or other load on the machine. It could answer more requests
        than the table says. Compare the processor time then.

        - *plain YARP* is YARP 2.3.0 without a user.
        - *kcd-gateway* is the program with its default settings and one application. `None` is an application without delegation.
          *delegation* is one with a ticket of 1 KB, an `Authorization` value of {HeaderLength:N0} characters. Sessions are files in the
          temporary directory, and each write is flushed to the disk.
        - *nginx* ({GetVersion("nginx-light")}) is Debian's package as a plain proxy that keeps its connections to the backend.
        - *Apache* ({GetVersion("apache2-bin")}) is the same with the event MPM and 128 threads for each processor.
        - *Apache, mod_auth_openidc* ({GetVersion("libapache2-mod-auth-openidc")}) signs in at the same provider, with PKCE.
          Its sessions are in its default cache, which is shared memory. It has {ApacheSettings.GetCacheEntries(Sessions):N0} entries here
          (default 10,000), and the module searches them one after the other. The sessions end with Apache. The backend
          gets no claims.

        Apache does no delegation, so compare it with `None`.

        Processor time is that of the server's processes (`/proc/PID/stat`), with a resolution of 10 ms in a round. Bytes are those that
        .NET allocated.

        A *cold sign-in* is the time from the callback to the first answer of the application, for a new user. It includes the exchange of
        the code, the validation of an ID token of {TokenLength} characters (RS256), the new session, the ticket of delegation, and the
        request. One sign-in runs at a time. The provider's token endpoint takes {ProviderTime:0.00} ms of it (median). The processor time
        also includes the redirect to the provider before.

        *Memory* is the resident memory of the server's processes, with shared memory counted once. In .NET, it is read after a full garbage
        collection. With delegation, a session has a ticket and a connection of its own. Apache's memory depends on the number of entries of
        its cache more than on its sessions.
        """);

    private static string GetVersion(string package) => Machine.Output("dpkg-query", $"-W -f ${{Version}} {package}");

    private static IReadOnlyList<string> AsRow(GatewayCell cell, IReadOnlyList<GatewayCell> all)
    {
        var column = ProxyColumn.All.Single(each => each.Name == cell.Column);
        var plain = all.Single(static other => other.Column == ProxyColumn.Yarp);
        var baseline = all.Single(other => other.Column == column.Baseline);
        var bytes = cell.GetMedian(static round => round.Bytes);
        return
        [
            cell.Column,
            cell.GetMedian(static round => round.RequestsPerSecond).Number(0),
            cell.GetRatio(plain, static round => round.RequestsPerSecond).Number(),
            cell.GetMedian(static round => round.ProcessorTime).Number(1),
            baseline == cell ? "" : cell.GetDifference(baseline, static round => round.ProcessorTime).Number(1),
            double.IsNaN(bytes) ? "" : bytes.Number(0),
            cell.GetMedian(static round => round.Busy).Number(),
            cell.GetMedian(static round => round.BackendTime).Number(1),
        ];
    }
}
