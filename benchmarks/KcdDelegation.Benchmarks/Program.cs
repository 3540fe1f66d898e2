using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using KcdDelegation.Benchmarks.Cache;
using KcdDelegation.Benchmarks.Cold;
using KcdDelegation.Benchmarks.Connections;
using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Benchmarks.Headers;
using KcdDelegation.Benchmarks.Sessions;
using KcdDelegation.Benchmarks.Tokens;
using Perfolizer.Horology;

// benchmarks/run starts a new process for each page, so that the pages do not influence each other.
if (args is not [var page, var results, ..])
{
    Console.Error.WriteLine("""
        usage: KcdDelegation.Benchmarks headers|cache|memory|tokens|threads|users|sessions|cold|rush RESULTS [short]
               KcdDelegation.Benchmarks gateway-run NUMBERS KILOBYTES [short]
               KcdDelegation.Benchmarks gateway RESULTS NUMBERS
               KcdDelegation.Benchmarks gateway-load COLUMN KILOBYTES SECONDS
               KcdDelegation.Benchmarks sessions-load COLUMN SECONDS
        """);
    return 2;
}
var isShort = args is [_, _, .., "short"];
var rounds = isShort ? 400 : 4000;
switch (page)
{
    case "headers":
        await HeaderPage.WriteAsync(results, rounds, isShort ? null : RunBenchmarkDotNet(results));
        break;
    case "cache":
        await CacheHits.RunAsync(results, rounds);
        break;
    case "memory":
        await CacheMemory.RunAsync(results);
        break;
    case "tokens":
        await TokenCases.RunAsync(results, rounds);
        break;
    case "threads":
        await TwoThreads.RunAsync(results);
        break;
    case "users":
        await UsersPage.RunAsync(results, isShort);
        break;
    case BackendProcess.Page:
        await BackendProcess.ServeAsync();
        break;
    case BackendServer.Page:
        await BackendServer.RunAsync();
        break;
    case GatewayServer.Page:
        await GatewayServer.RunAsync(results);
        break;
    case ClientProgram.Page:
        await ClientProgram.RunAsync(results);
        break;
    case GatewayRun.Page when GatewayRun.FindObstacle() is { } obstacle:
        Console.Error.WriteLine($"gateway is skipped: {obstacle}");
        return 77;
    case GatewayRun.Page:
        await GatewayRun.RunAsync(results, int.Parse(args[2], CultureInfo.InvariantCulture), isShort);
        break;
    case "gateway-load":
        await GatewayRun.LoadAsync(
            results, int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
        break;
    case "sessions" when GatewayRun.FindObstacle() is { } obstacle:
        Console.Error.WriteLine($"sessions is skipped: {obstacle}");
        return 77;
    case "sessions":
        await SessionsRun.RunAsync(results, isShort);
        break;
    case "sessions-load":
        await SessionsRun.LoadAsync(results, int.Parse(args[2], CultureInfo.InvariantCulture));
        break;
    case "gateway":
        GatewayPage.Write(results, args[2]);
        break;
    case "cold" or "rush" when LabKdc.ReasonMissing() is { } reason:
        Console.Error.WriteLine($"{page} is skipped: {reason}");
        return 77;
    case "cold":
        await ColdPairs.RunAsync(results, pairs: isShort ? 100 : 1000);
        break;
    case "rush":
        await Rush.RunAsync(results);
        break;
    default:
        Console.Error.WriteLine($"Unknown page: {page}.");
        return 2;
}
return 0;

static BenchmarkDotNet.Reports.Summary RunBenchmarkDotNet(string results)
{
    // In this process, because MIT's libraries hold the tickets here, and a build for each case would take longer than all cases.
    var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(7)
        .WithIterationTime(TimeInterval.FromMilliseconds(100));
    var config = ManualConfig.CreateEmpty()
        .AddJob(job)
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(NullLogger.Instance)
        .AddExporter(MarkdownExporter.GitHub);
    config.ArtifactsPath = Path.Combine(Path.GetTempPath(), $"kcd-bench-{Environment.ProcessId}");
    Directory.CreateDirectory(config.ArtifactsPath);
    try
    {
        var summary = BenchmarkRunner.Run<HeaderBenchmarks>(config);
        File.Copy(Directory.GetFiles(summary.ResultsDirectoryPath, "*.md").Single(), Path.Combine(results, "headers-benchmarkdotnet.md"),
            overwrite: true);
        return summary;
    }
    finally
    {
        Directory.Delete(config.ArtifactsPath, recursive: true);
    }
}
