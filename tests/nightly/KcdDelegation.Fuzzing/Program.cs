using System.Runtime.InteropServices;
using KcdDelegation.DirectoryServices.Tests.Fuzz;
using KcdDelegation.Fuzzing;
using KcdDelegation.Kerberos.Tests.Fuzz;
using KcdDelegation.Tests.Fuzz;
using SharpFuzz;

// list:                  prints the decoders
// samples DECODER DIR:   writes the samples and seed files of a decoder, for AFL++ to start from
// check DECODER FILE...: reads the files without AFL++ and prints the faults
// fuzz DECODER:          serves afl-fuzz
// The tables of decoders run instrumented code before AFL++'s shared memory is mapped: it counts into memory of its own until then.
unsafe
{
    SharpFuzz.Common.Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(1 << 16);
}
IReadOnlyList<Decoder> decoders = [.. EngineDecoders.All, .. LibraryDecoders.All, .. DirectoryDecoders.All];
switch (args)
{
    case ["list"]:
        foreach (var decoder in decoders)
            Console.WriteLine(decoder.Name);
        return 0;
    case ["samples", var name, var folder]:
        var samples = Find(name).Samples.Concat(SeedFiles.Read(name)).Where(sample => sample.Length <= 4_096).ToList();
        for (var i = 0; i < samples.Count; i++)
            File.WriteAllBytes(Path.Combine(folder, $"sample-{i}"), samples[i]);
        return 0;
    case ["check", var name, .. var files]:
        var failed = false;
        foreach (var file in files)
        {
            if (DecoderCheck.Run(Find(name), File.ReadAllBytes(file), measures: false) is not { } fault)
                continue;
            failed = true;
            var reduced = Reduction.Reduce(
                File.ReadAllBytes(file), bytes => DecoderCheck.Run(Find(name), bytes, measures: false)?.Kind == fault.Kind);
            Console.WriteLine(
                $"{name} {fault.Kind}: {fault.Detail}\n  {Path.GetFileName(file)}, {reduced.Length} bytes: {Convert.ToHexString(reduced)}");
        }
        return failed ? 1 : 0;
    case ["fuzz", var name]:
        var target = Find(name);
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            if (DecoderCheck.Run(target, input.ToArray(), measures: false) is { } fault)
                throw new InvalidOperationException($"{fault.Kind}: {fault.Detail}");
        });
        return 0;
    default:
        Console.Error.WriteLine("usage: list | samples DECODER DIR | check DECODER FILE... | fuzz DECODER");
        return 2;
}

Decoder Find(string name) => decoders.Single(decoder => decoder.Name == name);
