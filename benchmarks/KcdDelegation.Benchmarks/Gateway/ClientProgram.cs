using System.Diagnostics;
using System.Globalization;
using System.Security.Claims;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>A program without YARP that sends the requests of users itself, by 64 senders at a time.</summary>
internal sealed class ClientProgram : IDisposable
{
    /// <summary>The name of the page that runs the program.</summary>
    public const string Page = "gateway-client";

    public const int Senders = 64;

    private readonly ProcessSettings _settings;
    private readonly Uri _url;
    private readonly HttpMessageInvoker _client;

    private ClientProgram(ProcessSettings settings, DelegationClient? delegation)
    {
        (_settings, _url) = (settings, new Uri(settings.Backend));
        _client = new HttpMessageInvoker(settings.Forwarding switch
        {
            Forwarding.Control => new UserHandlers(settings.CreateControlValue()),
            Forwarding.Delegated => new KcdHandler(delegation!, ProcessSettings.Application, UserHandlers.CreateHandler),
            _ => UserHandlers.CreateHandler(),
        });
    }

    /// <summary>Runs the program until its input ends.</summary>
    public static async Task RunAsync(string settingsFile)
    {
        var configuration = new ConfigurationBuilder().AddJsonFile(settingsFile).Build();
        var settings = configuration.GetSection(ProcessSettings.Section).Get<ProcessSettings>()!;
        await using var services = new ServiceCollection()
            .AddKcdDelegation(configuration.GetSection(ProcessSettings.KcdSection))
            .BuildServiceProvider();
        using var program = new ClientProgram(
            settings, settings.Forwarding == Forwarding.Delegated ? services.GetRequiredService<DelegationClient>() : null);
        await ChildProcess.AnswerAsync("ready", program.AnswerAsync);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Answers the commands <c>connect FIRST COUNT</c>, <c>run FIRST COUNT SEED</c> and <c>usage</c>.</summary>
    private async Task<string> AnswerAsync(string[] command)
    {
        if (command[0] == ProcessUsage.Command)
            return ProcessUsage.Read();
        var numbers = command.Skip(1).Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        if (command[0] == "run")
            return await RunAsync(numbers[0], numbers[1], numbers[2]);
        await Parallel.ForAsync(numbers[0], numbers[0] + numbers[1], new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (user, _) => await SendAsync(user));
        return "connected";
    }

    private async Task<string> RunAsync(int first, int count, int seed)
    {
        var start = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            // A linear congruential generator (Knuth, MMIX): an unbiased choice would take longer than the rest of this loop.
            var state = (ulong)((seed * Senders) + sender);
            var sent = 0;
            for (; Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1); sent++)
            {
                state = (state * 6364136223846793005) + 1442695040888963407;
                await SendAsync(first + (int)((state >> 33) % (uint)count));
            }
            return sent;
        })));
        return string.Create(
            CultureInfo.InvariantCulture, $"RESULT {counts.Sum()} {Stopwatch.GetElapsedTime(start).TotalMicroseconds:0} 0 0");
    }

    private async Task SendAsync(int number)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _url);
        var user = ProcessSettings.GetUser(number);
        if (_settings.Forwarding == Forwarding.Control)
            UserHandlers.SetUser(request, user);
        if (_settings.Forwarding == Forwarding.Delegated)
            request.SetCaller(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ProcessSettings.UserClaim, user)], "header")));
        using var response = await _client.SendAsync(request, CancellationToken.None);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"The backend answered {response.StatusCode}.");
        await response.Content.CopyToAsync(Stream.Null);
    }
}
