using System.Globalization;
using KcdDelegation.Benchmarks.Report;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>Writes the tables of the page <c>gateway</c> and compares them with the targets.</summary>
internal static class GatewayPage
{
    /// <summary>Writes the page from the numbers of <see cref="GatewayRun"/>.</summary>
    /// <param name="results">The directory of the page.</param>
    /// <param name="numbers">The directory of the numbers.</param>
    public static void Write(string results, string numbers)
    {
        GatewayResult[] parts =
        [
            .. GatewayRun.TicketKilobytes
                .Select(size => GatewayResult.Read(numbers, size))
                .OfType<GatewayResult>(),
        ];
        if (parts.Length == 0)
            throw new InvalidOperationException($"There are no numbers in {numbers}.");
        var page = new ResultFile(results, "gateway", "A gateway with and without delegation").Text(Describe(parts[0]));
        foreach (var missing in parts.Select(part => part.LeftOut).OfType<string>().Distinct(StringComparer.Ordinal))
            page.Text(missing);
        if (parts.Any(part => part.IsShort))
            page.Text("This is a short run, of 64 users only.");
        page.Text("## Targets").Table(["target", "result", ""], parts.SelectMany(part => Targets(part)).Select(AsRow));
        foreach (var part in parts)
        {
            page.Text(string.Create(CultureInfo.InvariantCulture, $"""
                ## Tickets of {part.TicketKilobytes} KB

                The `Authorization` value has {part.HeaderLength:N0} characters. Measured: {part.Machine}
                """));
            foreach (var row in part.Cells.GroupBy(cell => (cell.Users, cell.OtherUsers)).OrderBy(row => row.Key))
                page.Text(DescribeRow(row.Key.Users, row.Key.OtherUsers))
                    .Table(
                        ["", "requests/s", "ratio to plain", "CPU µs per request", "over plain", "over the control", "bytes per request",
                            "over plain", "connections per user", "working set MB", "gateway busy", "backend µs"],
                        row.Select(cell => AsRow(part, cell)));
        }
        page.Write();
    }

    private static string Describe(GatewayResult part) => $"""
        GET requests with an answer of 1 KB through YARP 2.3.0, over plain HTTP/1.1 on loopback. `wrk` sends them on 64 connections, each
        for a random user. All columns of a round get the same sequence of users. Logging is off.

        Each gateway is a process of its own on processor {part.GatewayProcessors}, and only one has requests at a time. `wrk`, the backends
        and the KDC run on processor {part.OtherProcessors}. A backend is a Kestrel that ignores `Authorization`. Each gateway has one of
        its own, because the ephemeral ports of one address do not suffice for 10,000 connections of each gateway.

        The users of a row are idle while the other columns are measured. So idle connections of the control and of delegation stay open
        for {UserHandlers.IdleTimeout.TotalHours} hours, instead of a minute, and the backend keeps them as long. For the tickets of all
        users, `MaxCacheBytes` of the gateway is {ProcessSettings.MaxCacheBytes >> 30} GB and `MaxUsers` {ProcessSettings.MaxUsers:N0}.

        {part.Rounds} interleaved rounds of one second in each start, after the just-in-time compiler has finished. The half with the least
        disturbance of each start counts. {DescribeStarts(part)} The tables have medians. Ratios and differences are medians of those of
        the rounds. Rows that share processes alternate. A garbage collection then also marks objects of the other row. So 64 users are also
        measured in processes of their own, and all targets except those of 10,000 users are compared with that table.

        - *plain YARP* sends no ticket. With a bearer token it passes the token on.
        - *control* is plain YARP with one `SocketsHttpHandler` for each user and a constant `Authorization` header of the same length:
          the price of separate connections and of the size of the header.
        - *delegation* is `AddKcdDelegation`. All tickets are cached.
        - Without a further name, the user comes from a header field that is not validated. With `JwtBearer` or `AddKcdBearer`, the user
          comes from an RS256 token. The gateway has seen every token before.
        - *HttpClient* is a program without YARP on the gateway's processor, with 64 senders. The backend limits its rate.

        Processor time and bytes are those of the gateway's process, from `Environment.CpuUsage` and `GC.GetTotalAllocatedBytes` before and
        after each round. Connections are those that the backend accepted for the row, warm-up included. The working set includes the users
        of other rows. A gateway that is less than 0.95 busy was limited by `wrk`, the backend, or other load on the machine.
        """;

    private static string DescribeRow(int users, int otherUsers)
    {
        var row = DescribeUsers(users);
        return otherUsers == 0 ? $"{row}:" : $"{row}, in processes that also serve {DescribeUsers(otherUsers).ToLowerInvariant()}:";
    }

    private static string DescribeUsers(int users) =>
        users == 1 ? "One user" : string.Create(CultureInfo.InvariantCulture, $"{users:N0} users");

    private static string DescribeStarts(GatewayResult part) => part.Starts == 1
        ? "Each process was started once. Two processes of the same program differ by several microseconds, so such differences mean "
            + "nothing."
        : $"The processes that serve only {GatewayRun.FewUsers} users were started {part.Starts} times. Two processes of the same program "
            + "differ by several microseconds, so such differences mean nothing in the other rows.";

    private static IReadOnlyList<string> AsRow(GatewayResult part, GatewayCell cell)
    {
        var column = GatewayColumn.All.Single(each => each.Name == cell.Column);
        var plain = part.Find(column.HasGateway ? GatewayColumn.Plain : GatewayColumn.Client, cell.Users, cell.OtherUsers)!;
        var control = part.Find(
            column.HasGateway ? GatewayColumn.Control : GatewayColumn.ClientControl, cell.Users, cell.OtherUsers)!;
        return
        [
            cell.Column,
            cell.GetMedian(Rate).Number(0),
            cell.GetRatio(plain, Rate).Number(),
            cell.GetMedian(Time).Number(1),
            cell.GetDifference(plain, Time).Number(1),
            cell.GetDifference(control, Time).Number(1),
            cell.GetMedian(Bytes).Number(0),
            cell.GetDifference(plain, Bytes).Number(0),
            cell.ConnectionsPerUser.Number(),
            (cell.WorkingSet / 1e6).Number(0),
            cell.GetMedian(round => round.Busy).Number(),
            cell.GetMedian(round => round.BackendTime).Number(1),
        ];
    }

    private static IReadOnlyList<string> AsRow((string Target, string Result, bool IsMet) target) =>
        [target.Target, target.Result, target.IsMet ? "met" : "**not met**"];

    private static IEnumerable<(string Target, string Result, bool IsMet)> Targets(GatewayResult part)
    {
        var size = $"{part.TicketKilobytes} KB";
        var plain = Find(GatewayColumn.Plain);
        var control = Find(GatewayColumn.Control);
        var ours = Find(GatewayColumn.Delegated);
        var (overPlain, overControl) = (ours.GetDifference(plain, Time), ours.GetDifference(control, Time));
        yield return ($"{size}: processor time of delegation at most 8 µs over plain YARP, or 4 µs over the control",
            $"{overPlain.Number(1)} µs over plain, {overControl.Number(1)} µs over the control", overPlain <= 8 || overControl <= 4);
        var bytes = ours.GetDifference(plain, Bytes);
        yield return ($"{size}: at most 2,048 bytes per request over plain YARP", bytes.Number(0), bytes <= 2048);
        yield return AtLeast($"{size}: requests/s of delegation at least 0.87 of plain YARP", ours.GetRatio(plain, Rate), 0.87);

        var jwt = Find(GatewayColumn.PlainJwtBearer);
        var kcd = Find(GatewayColumn.PlainKcdBearer);
        var both = Find(GatewayColumn.DelegatedKcdBearer);
        yield return AtLeast($"{size}: with bearer tokens and `AddKcdBearer` on both sides at least 0.88", both.GetRatio(kcd, Rate), 0.88);
        yield return AtLeast(
            $"{size}: delegation with `AddKcdBearer` no slower than plain YARP with `JwtBearer`", both.GetRatio(jwt, Rate), 1);
        var check = kcd.GetDifference(plain, Time);
        yield return ($"{size}: the check of a token seen before at most 15 µs",
            $"{(part.TokenCheck / 1000).Number(1)} µs and {part.TokenCheckBytes:N0} bytes alone; {check.Number(1)} µs in the gateway, "
                + "authentication and authorization of ASP.NET Core included",
            check <= 15);
        if (part.Find(GatewayColumn.Delegated, GatewayRun.MostUsers, GatewayRun.FewUsers) is { } many)
        {
            // Of the same process, whose rounds alternated.
            var few = part.Find(GatewayColumn.Delegated, GatewayRun.FewUsers, GatewayRun.MostUsers)!;
            yield return AtLeast($"{size}: 10,000 users at least 0.8 of the rate of 64", many.GetRatio(few, Rate), 0.8);
            yield return ($"{size}: at most 1.2 connections opened per user of 10,000",
                many.ConnectionsPerUser.Number(), many.ConnectionsPerUser <= 1.2);
        }

        // Of processes that serve no other users.
        GatewayCell Find(string column) => part.Find(column, GatewayRun.FewUsers, otherUsers: 0)!;
    }

    private static (string Target, string Result, bool IsMet) AtLeast(string target, double ratio, double least) =>
        (target, ratio.Number(), ratio >= least);

    private static double Rate(GatewayRound round) => round.RequestsPerSecond;

    private static double Time(GatewayRound round) => round.ProcessorTime;

    private static double Bytes(GatewayRound round) => round.Bytes;
}
