using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>The requests, disturbances and samples of a load.</summary>
internal sealed class LoadRecord
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentQueue<(TimeSpan Start, TimeSpan End)> _outages = new();
    private readonly ConcurrentQueue<LoadFailure> _failures = new();

    public TimeSpan Now => _clock.Elapsed;

    /// <summary>Gets the numbers of complete answers for each kind of request.</summary>
    public ConcurrentDictionary<string, int> Completed { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the answers that have the name of another user, or that belong to another request.</summary>
    public ConcurrentQueue<string> Mixed { get; } = new();

    /// <summary>Gets the disturbances, with the number of times that they happened.</summary>
    public ConcurrentDictionary<string, int> Disturbances { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the process of the gateway as it was at each second.</summary>
    public List<ProcessSample> Samples { get; } = [];

    /// <summary>Gets the certificates that clients saw.</summary>
    public ConcurrentDictionary<string, bool> Certificates { get; } = new(StringComparer.Ordinal);

    /// <summary>Records a time in which the process of the application with delegation was stopped.</summary>
    public void AddOutage(TimeSpan start, TimeSpan end) => _outages.Enqueue((start, end));

    public void AddFailure(string kind, bool usesApplication, TimeSpan start, string text) =>
        _failures.Enqueue(new LoadFailure(kind, usesApplication, start, Now, text));

    public bool AddCertificate(X509Certificate certificate)
    {
        Certificates[certificate.Subject] = true;
        return true;
    }

    /// <summary>Returns the requests that failed while the process that they need was stopped.</summary>
    public IReadOnlyList<LoadFailure> FindInterrupted() => [.. _failures.Where(IsInterrupted)];

    /// <summary>Returns the requests that failed for no reason.</summary>
    public IReadOnlyList<LoadFailure> FindLost() => [.. _failures.Where(failure => !IsInterrupted(failure))];

    private bool IsInterrupted(LoadFailure failure) => failure.UsesApplication
        && _outages.Any(outage => failure.Start < outage.End && failure.End > outage.Start);
}

/// <summary>A request without a complete answer.</summary>
/// <param name="Kind">The kind of the request.</param>
/// <param name="UsesApplication">Whether it needs the process that is restarted.</param>
/// <param name="Start">When it began.</param>
/// <param name="End">When it failed.</param>
/// <param name="Text">The answer or the error.</param>
internal sealed record LoadFailure(string Kind, bool UsesApplication, TimeSpan Start, TimeSpan End, string Text);

/// <summary>The memory and the handles of a process.</summary>
internal sealed record ProcessSample(TimeSpan Time, long ResidentBytes, int Handles, int Sockets)
{
    public static ProcessSample Read(Process process, TimeSpan time)
    {
        var folder = FormattableString.Invariant($"/proc/{process.Id}");
        var (handles, sockets) = (0, 0);
        foreach (var handle in new DirectoryInfo(folder + "/fd").EnumerateFileSystemInfos())
        {
            handles++;
            if (handle.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true)
                sockets++;
        }
        var resident = File.ReadLines(folder + "/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return new ProcessSample(
            time, long.Parse(resident.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024,
            handles, sockets);
    }
}
