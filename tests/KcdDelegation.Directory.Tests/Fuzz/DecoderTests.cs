using KcdDelegation.Fuzzing;

namespace KcdDelegation.DirectoryServices.Tests.Fuzz;

/// <summary>Tests of every decoder of the directory client over mutated inputs.</summary>
public sealed class DecoderTests(ITestOutputHelper output)
{
    public static TheoryData<string> Decoders => [.. DirectoryDecoders.All.Select(decoder => decoder.Name)];

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_decoder_does_only_what_it_documents_with_any_input(string name)
    {
        output.WriteLine($"Seed {FuzzRun.Seed}; set KCD_FUZZ_SEED for another.");
        var decoder = DirectoryDecoders.All.Single(decoder => decoder.Name == name);
        FuzzRun.Describe(decoder, SeedFiles.Read(name)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Every_sample_of_a_decoder_is_valid(string name)
    {
        var decoder = DirectoryDecoders.All.Single(decoder => decoder.Name == name);
        decoder.Samples.ShouldNotBeEmpty();
        foreach (var sample in decoder.Samples)
            Should.NotThrow(() => decoder.Decode(sample.ToArray()));
    }
}
