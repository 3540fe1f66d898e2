using System.Net.Http.Headers;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>The header cases under BenchmarkDotNet, which also measures allocations.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByParams, BenchmarkLogicalGroupRule.ByCategory)]
public class HeaderBenchmarks
{
    private HeaderCases _cases = null!;

    /// <summary>Gets or sets the size of the ticket's encrypted part.</summary>
    [Params(1, 4, 12)]
    public int Kilobytes { get; set; }

    [GlobalSetup]
    public void Setup() => _cases = HeaderCases.Create(Kilobytes);

    [GlobalCleanup]
    public Task CleanupAsync() => _cases.DisposeAsync().AsTask();

    [Benchmark(Baseline = true), BenchmarkCategory("bytes")]
    public void FloorBytes() => _cases.FloorBytes();

    [Benchmark, BenchmarkCategory("bytes")]
    public void KcdDelegationBytes() => _cases.KcdBytes();

    [Benchmark, BenchmarkCategory("bytes")]
    public void KcdDelegationRawBytes() => _cases.KcdRawBytes();

    [Benchmark, BenchmarkCategory("bytes")]
    public void KcdDelegationType20Bytes() => _cases.KcdSha384Bytes();

    [Benchmark, BenchmarkCategory("bytes")]
    public int MitGssapiSpnego() => _cases.Mit();

    [Benchmark, BenchmarkCategory("bytes")]
    public int MitGssapiKerberos() => _cases.MitKerberos();

    [Benchmark, BenchmarkCategory("bytes")]
    public int MitGssapiSpnegoType20() => _cases.MitSha384();

    [Benchmark, BenchmarkCategory("bytes")]
    public byte[] NegotiateAuthentication() => HeaderCases.Negotiate();

    [Benchmark(Baseline = true), BenchmarkCategory("string")]
    public string FloorString() => _cases.FloorString();

    [Benchmark, BenchmarkCategory("string")]
    public string KcdDelegationString() => _cases.KcdString();

    [Benchmark, BenchmarkCategory("string")]
    public AuthenticationHeaderValue KcdDelegationHeaderValue() => _cases.KcdHeaderValue();

    [Benchmark(Baseline = true), BenchmarkCategory("platform, bytes")]
    public void PlainBclBytes() => _cases.PlainBytes();

    [Benchmark, BenchmarkCategory("platform, bytes")]
    public void KcdDelegationPlatformBytes() => _cases.KcdPlatformBytes();

    [Benchmark(Baseline = true), BenchmarkCategory("platform, string")]
    public string PlainBclString() => _cases.PlainString();

    [Benchmark, BenchmarkCategory("platform, string")]
    public string KcdDelegationPlatformString() => _cases.KcdPlatformString();
}
