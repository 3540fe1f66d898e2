using System.Diagnostics;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>A page of this program in a process of its own, on some of the processors. It writes one line when it is ready, and answers
/// each line of its input with one line.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _name;

    private ChildProcess(Process process, string name)
    {
        (_process, _name) = (process, name);
        Ready = ReadLine();
    }

    /// <summary>Gets the first line that the process wrote.</summary>
    public string Ready { get; }

    public int Id => _process.Id;

    public static ChildProcess Start(ProcessorSet processors, string page, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo("taskset",
        [
            "--cpu-list", processors.ToString(), Environment.ProcessPath!, typeof(ChildProcess).Assembly.Location, page, .. arguments,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            // The compiler optimizes a method as soon as it has been called often, and does not wait for a pause.
            Environment = { ["DOTNET_TC_CallCountingDelayMs"] = "0" },
        })!;
        return new ChildProcess(process, $"{page} {string.Join(' ', arguments)}");
    }

    /// <summary>Sends a command and returns the answer.</summary>
    public string Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        return ReadLine();
    }

    public void Dispose()
    {
        // The process ends at the end of its input.
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>Writes the first line and answers commands until the input ends, in the process that was started.</summary>
    public static async Task AnswerAsync(string ready, Func<string[], Task<string>> answer)
    {
        await Console.Out.WriteLineAsync(ready);
        while (await Console.In.ReadLineAsync() is { } command)
            await Console.Out.WriteLineAsync(await answer(command.Split(' ')));
    }

    private string ReadLine() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException($"The process {_name} ended unexpectedly. Its error output has the reason.");
}
